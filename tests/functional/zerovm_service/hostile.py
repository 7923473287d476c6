"""Modules that are small to send and costly to compile."""


def leb(number):
    """Unsigned LEB128."""
    out = bytearray()
    while True:
        byte, number = number & 0x7F, number >> 7
        out.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(out)


def section(identity, content):
    return bytes([identity]) + leb(len(content)) + content


def module(body):
    """A module whose one function, exported as _start, has this body (locals and code)."""
    return (
        b"\0asm\1\0\0\0"
        + section(1, b"\1\x60\0\0")
        + section(3, b"\1\0")
        + section(7, b"\1" + leb(6) + b"_start" + b"\0\0")
        + section(10, b"\1" + leb(len(body)) + body)
    )


def many_locals_in_many_loops(variables, loops):
    """Each loop may change each local, so each local must be merged at the head of each loop."""
    code = bytearray(b"\1" + leb(variables) + b"\x7f")
    for _ in range(loops):
        code += b"\x03\x40"
    for variable in range(variables):
        code += b"\x20" + leb(variable) + b"\x41\x01\x6a\x21" + leb(variable)
    for _ in range(loops):
        code += b"\x20\x00\x0d\x00\x0b"
    return module(bytes(code) + b"\x0b")
