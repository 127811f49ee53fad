"""Queries, headers and messages of DICOM over the web."""

from .common import GOLDEN, keep

QUERIES = {
    "valid_query": "PatientName=DOE*&StudyDate=20260101-&ModalitiesInStudy=MG&limit=25&offset=50&includefield=all",
    "valid_query_tags": "0020000D=1.2%2C1.3&00100020=%2A7&fuzzymatching=true&00400275.00401001=x",
    "query_injection": "PatientID=1'%20OR%20'1'='1&StudyInstanceUID=1;DROP%20TABLE%20study--",
    "query_paths": "StudyInstanceUID=../../etc/passwd%00&x[]=1&%ff%fe=%",
    "query_many": "&".join(f"a{i}=b" for i in range(200)),
    "query_range": "StudyDate=-&StudyTime=25-99.1234567",
    "rendering": "window=0.5,0.1,sigmoid&viewport=512,512,0,0,9,9&quality=50",
    "rendering_huge": "viewport=4294967295,4294967295&window=1e308,1e-308,linear-exact",
}
ACCEPTS = {
    "accept": 'multipart/related; type="application/octet-stream"; transfer-syntax=*, image/png;q=0.5, */*;q=0.1',
    "accept_unquoted": "multipart/related; type=application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90",
    "accept_broken": 'multipart/related; type="application/dicom; q=, ,;;=";q=nan,a/b;q=-1,' + "x/" * 500,
}
for name, text in {**QUERIES, **ACCEPTS}.items():
    keep("web", name, text)

instance = (GOLDEN / "gray8_explicit.dcm").read_bytes()
head = b"Content-Type: application/dicom\r\n\r\n"
keep("web", "valid_message", b"--b\r\n" + head + instance + b"\r\n--b\r\n" + head + b"x\r\n--b--\r\n")
keep("web", "valid_message_preamble", b"preamble\r\n--b  \r\n\r\nno head\r\n--b--epilogue")
keep("web", "message_without_end", b"--b\r\n" + head + b"--b--" * 50)
keep("web", "message_endless_head", b"--b\r\n" + b"X: y\r\n" * 3000)
keep("web", "message_other_boundary", b"--c\r\n" + head + b"\r\n--c--")
keep("web", "message_nested", b"--b\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n\r\n--b--")
keep("web", "valid_instance", instance)
keep("web", "instance_meta_too_long", instance[:140] + b"\xff\xff\xff\x7f" + instance[144:])
keep("web", "instance_without_meta", instance[294:])
item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
deep = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff" + item
keep("web", "instance_deep", instance[:294] + deep * 3000)
keep("web", "instance_many_items", instance[:294] + b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\x00\x00\x00\x00" * 3000)
keep("web", "instance_bulk_beyond", instance[:294] + b"\x42\x00\x11\x00OB\x00\x00\xf0\xff\xff\xff")
