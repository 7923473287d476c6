import pytest

from zerocloud.objectquery.local_data import indirection

METADATA = {"X-Timestamp": "1700000000.00000", "ETag": "d41d8", "Content-Type": "text/plain", "X-Object-Meta-Colour": "green"}


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        (METADATA, None),
        ({"X-Static-Large-Object": "True"}, "slo"),
        ({"X-Static-Large-Object": "False"}, None),
        ({"X-Object-Manifest": "c/p"}, "dlo"),
        ({"X-Object-Sysmeta-Symlink-Target": "c/o"}, "symlink"),
        ({"x-object-sysmeta-crypto-body-meta": "{}"}, "encrypted"),
    ],
)
def test_objects_whose_bytes_are_not_the_object(metadata, kind):
    assert indirection(metadata) == kind
