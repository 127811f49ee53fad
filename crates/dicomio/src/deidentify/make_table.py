"""Writes table.tsv: table E.1-1 of PS3.15 as the database of PyPI's dicom-anonymizer (BSD) holds it.

    pip install dicom-anonymizer && python make_table.py > table.tsv

One attribute a line: tag, action of the Basic Profile, name. Of a choice that depends on whether the object
needs a value, the letters stand together (`X/Z/D`). Curves and overlays, whose groups are ranges, are left to
the program, which drops them whole.
"""
import inspect
import re

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as fields

ACTIONS = {
    "D_TAGS": "D", "Z_TAGS": "Z", "X_TAGS": "X", "U_TAGS": "U", "Z_D_TAGS": "Z/D", "X_Z_TAGS": "X/Z",
    "X_D_TAGS": "X/D", "X_Z_D_TAGS": "X/Z/D", "X_Z_U_STAR_TAGS": "X/Z/U*",
}
names = {
    (int(group, 16), int(element, 16)): name.strip()
    for group, element, name in re.findall(
        r"\((0x[0-9A-Fa-f]+), (0x[0-9A-Fa-f]+)\),  # (.*)", inspect.getsource(fields))
}
rows = [
    (tag, action) for group, action in ACTIONS.items() for tag in getattr(fields, group) if len(tag) == 2
]
for tag, action in sorted(rows):
    print(f"{tag[0]:04X},{tag[1]:04X}\t{action}\t{names.get(tag, '')}")
