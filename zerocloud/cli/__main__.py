"""``python -m zerocloud.cli`` is ``zerocloud``."""

from zerocloud.cli.command import main

main(prog_name="zerocloud")
