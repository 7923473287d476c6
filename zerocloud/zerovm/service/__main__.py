"""``python -m zerocloud.zerovm.service SOCKET …`` is ``zerovm --serve SOCKET …``."""

import sys

from zerocloud.zerovm.service.server import serve

sys.exit(serve(sys.argv[1:]))
