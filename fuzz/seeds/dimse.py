"""What a peer says in an association, from its request to its release, and broken forms of it."""

import struct

from .common import keep

APPLICATION = b"1.2.840.10008.3.1.1.1"
ECHO = b"1.2.840.10008.1.1"
ULTRASOUND = b"1.2.840.10008.5.1.4.1.1.6.1"
MAMMOGRAM = b"1.2.840.10008.5.1.4.1.1.1.2"
FIND = b"1.2.840.10008.5.1.4.1.2.2.1"
IMPLICIT, EXPLICIT, DEFLATED = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.1.99"
INSTANCE = b"1.2.3.4"


def unit(kind, body):
    return struct.pack(">BBI", kind, 0, len(body)) + body


def item(kind, body):
    return struct.pack(">BBH", kind, 0, len(body)) + body


def variables(length=16384, more=b""):
    return item(0x50, item(0x51, struct.pack(">I", length)) + item(0x52, b"1.2.3") + item(0x55, b"SEED") + more)


def request(*contexts, application=APPLICATION, version=1, called=b"LOBULE", more=b""):
    head = struct.pack(">HH", version, 0) + called.ljust(16) + b"SEED".ljust(16) + bytes(32)
    proposed = b"".join(
        item(0x20, bytes([number, 0, 0, 0]) + item(0x30, class_) + b"".join(item(0x40, s) for s in syntaxes))
        for number, class_, *syntaxes in contexts
    )
    return unit(1, head + item(0x10, application) + proposed + variables(more=more))


def accepted(*contexts):
    head = struct.pack(">HH", 1, 0) + b"ARCHIVE".ljust(16) + b"LOBULE".ljust(16) + bytes(32)
    results = b"".join(
        item(0x21, bytes([number, 0, reason, 0]) + item(0x40, IMPLICIT)) for number, reason in contexts
    )
    return unit(2, head + item(0x10, APPLICATION) + results + variables())


def even(value, padding=b"\0"):
    return value + padding * (len(value) % 2)


def element(group, number, value):
    return struct.pack("<HHI", group, number, len(value)) + value


def command(*elements):
    body = b"".join(element(0, number, value) for number, value in elements)
    return element(0, 0, struct.pack("<I", len(body))) + body


def word(value):
    return struct.pack("<H", value)


def fragment(number, control, data):
    return struct.pack(">IBB", len(data) + 2, number, control) + data


def said(number, data, control=3, size=None):
    """A command (control 3) or data set (2), cut into units of `size` bytes."""
    size = size or max(len(data), 1)
    parts = [data[at:at + size] for at in range(0, len(data), size)] or [b""]
    last = len(parts) - 1
    return b"".join(unit(4, fragment(number, control if at == last else control - 2, part)) for at, part in enumerate(parts))


def echo(number=1, message=1):
    return said(number, command((0x2, even(ECHO)), (0x100, word(0x30)), (0x110, word(message)), (0x800, word(0x101))))


def store(instance=INSTANCE, class_=ULTRASOUND, number=1):
    return said(number, command((0x2, even(class_)), (0x100, word(1)), (0x110, word(1)), (0x700, word(0)),
                                (0x800, word(1)), (0x1000, even(instance))))


def data_set(instance=INSTANCE, class_=ULTRASOUND, pixels=64):
    """The head of an ultrasound image in explicit VR little endian."""
    def explicit(group, number, vr, value):
        return struct.pack("<HH2sH", group, number, vr, len(value)) + value

    return b"".join([
        explicit(8, 0x16, b"UI", even(class_)), explicit(8, 0x18, b"UI", even(instance)),
        explicit(8, 0x60, b"CS", b"US"), explicit(0x20, 0xD, b"UI", b"1.2.30"), explicit(0x20, 0xE, b"UI", b"1.2.31"),
        struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, pixels) + bytes(pixels),
    ])


RELEASE, RELEASED, ABORT = unit(5, bytes(4)), unit(6, bytes(4)), unit(7, bytes(4))
ONE = request((1, ULTRASOUND, EXPLICIT))
MANY = request((1, ECHO, EXPLICIT, IMPLICIT), (3, ULTRASOUND, DEFLATED, EXPLICIT), (5, MAMMOGRAM, IMPLICIT), (7, FIND, IMPLICIT))


def answered(status, message=1, data=None):
    elements = [(0x2, even(FIND)), (0x100, word(0x8020)), (0x120, word(message)),
                (0x800, word(0x101 if data is None else 1)), (0x900, word(status))]
    return said(1, command(*elements)) + (b"" if data is None else said(1, data, 2))


def found(uid, patient=b"SYNTHETIC"):
    return b"".join([
        element(8, 0x20, b"20240101"), element(8, 0x61, b"MG\\SR "), element(0x10, 0x20, even(patient, b" ")),
        element(0x20, 0xD, even(uid)), element(0x20, 0x1208, b"4 "),
    ])


FOUND = accepted((1, 0)) + answered(0xFF00, data=found(b"1.2.77"))
CONVERSATIONS = {
    "valid_echo": MANY + echo() + echo(message=2) + RELEASE,
    "valid_store": ONE + store() + said(1, data_set(), 2) + RELEASE,
    "valid_store_in_pieces": ONE + store() + said(1, data_set(), 2, size=30) + RELEASE,
    "valid_command_in_pieces": MANY + said(1, command((0x2, even(ECHO)), (0x100, word(0x30)), (0x110, word(1)),
                                                     (0x800, word(0x101))), size=9) + RELEASE,
    "valid_two_values_in_a_unit": ONE + unit(4, fragment(1, 3, store()[12:]) + fragment(1, 2, data_set())) + RELEASE,
    "valid_other_instance_refused": ONE + store(b"1.2.9") + said(1, data_set(), 2) + RELEASE,
    "valid_too_large_refused": ONE + store() + said(1, bytes(40000), 0) * 2 + said(1, b"", 2) + RELEASE,
    "valid_abort": ONE + ABORT,
    "valid_find_refused": MANY + said(1, command((0x100, word(0x20)), (0x110, word(1)), (0x800, word(0x101)))) + RELEASE,
    "valid_identity": request((1, ECHO, IMPLICIT), more=item(0x58, b"\x01\x01\x00\x02me\x00\x00")) + echo() + RELEASE,
    "valid_found": FOUND + answered(0) + RELEASED,
    "valid_found_another_one_too": FOUND + answered(0xFF01, data=found(b"1.2.78", b"OTHER")) + answered(0),
    "empty": b"",
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
    "long_association": unit(1, b"")[:2] + b"\xff\xff\xff\xff",
    "long_data": ONE + b"\x04\x00\x7f\xff\xff\xff",
    "no_items": unit(1, struct.pack(">HH", 1, 0) + bytes(64)),
    "item_beyond_end": ONE[:-4] + b"\xff\xff\xff\xff",
    "many_contexts": request(*[(n, ULTRASOUND, EXPLICIT) for n in range(1, 256, 2)] * 2),
    "even_context": request((2, ULTRASOUND, EXPLICIT)) + said(2, b""),
    "wrong_version": request((1, ECHO, IMPLICIT), version=2),
    "wrong_application": request((1, ECHO, IMPLICIT), application=b"1.2.3"),
    "value_without_head": ONE + unit(4, b"\0\0\0\0"),
    "value_of_one_byte": ONE + unit(4, b"\0\0\0\x01\x01"),
    "value_beyond_unit": ONE + unit(4, b"\xff\xff\xff\xff\x01\x03"),
    "endless_command": ONE + b"".join(said(1, bytes(8000), 1) for _ in range(10)),
    "empty_values": ONE + b"".join(said(1, b"", 1) for _ in range(500)),
    "path_as_instance": ONE + store(b"../../etc/passwd") + said(1, data_set(), 2) + RELEASE,
    "two_instances": ONE + store(b"1.2\\1.3") + said(1, data_set(), 2) + RELEASE,
    "data_first": ONE + said(1, data_set(), 2),
    "cut_data_set": ONE + store() + said(1, data_set()[:40], 0),
    "wrong_context": ONE + store(number=9),
    "two_requests": ONE + ONE,
    "answer_as_request": ONE + answered(0),
    "claims_length": ONE + said(1, element(0, 0, b"\0\0\0\0") + b"\0\0\2\0\xff\xff\xff\xff"),
    "rejected": unit(3, b"\0\1\1\3"),
    "nothing_accepted": accepted((1, 3)) + answered(0),
    "found_nothing": accepted((1, 0)) + answered(0) + RELEASED,
    "find_failed": accepted((1, 0)) + answered(0xA700),
    "found_path": accepted((1, 0)) + answered(0xFF00, data=found(b"../../x")) + answered(0),
    "found_no_data_set": accepted((1, 0)) + answered(0xFF00) * 3,
    "find_aborted": accepted((1, 0)) + ABORT,
    "found_long": accepted((1, 0)) + said(1, answered(0xFF00, data=b"")[12:], 3) + b"".join(said(1, bytes(60000), 0) for _ in range(6)),
    "found_deep": accepted((1, 0)) + answered(0xFF00, data=(b"\x08\0\x40\x11\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 2000)),
}
for name, data in CONVERSATIONS.items():
    keep("dimse", name, data)
