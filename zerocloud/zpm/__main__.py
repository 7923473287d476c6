"""``python -m zerocloud.zpm`` is ``zpm``."""

from zerocloud.zpm.command import main

main(prog_name="zpm")
