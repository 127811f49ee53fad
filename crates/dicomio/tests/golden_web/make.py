"""Makes data sets with values of every kind, and what pydicom writes for them in the DICOM JSON model.

    pip install pydicom==3.0.2 numpy
    python make.py

expected.json: for each file of this folder and of the other golden ones, by its path from tests/, the
data set as pydicom writes it, pixels named as `BULK/7FE00010`.
"""

import base64
import json
import warnings
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

warnings.simplefilter("ignore")
HERE = Path(__file__).parent
TESTS = HERE.parent
IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"


def every_kind(charset, name):
    ds = Dataset()
    if charset:
        ds.SpecificCharacterSet = charset
    ds.ImageType = ["ORIGINAL", "PRIMARY", "", "0001"]
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1"
    ds.SOPInstanceUID = "2.25.1"
    ds.StudyDate = "20260131"
    ds.StudyTime = "101559.25"
    ds.AccessionNumber = ""
    ds.Modality = "US"
    ds.ReferringPhysicianName = name
    ds.PatientName = name
    ds.PatientID = " ID 7"
    ds.OtherPatientNames = [name, "DOE^J"]
    ds.PatientComments = 'back\\slash "quoted"\r\nline'
    ds.PatientSize = "1.750"
    ds.StudyInstanceUID = "2.25.2"
    ds.SeriesInstanceUID = "2.25.3"
    ds.InstanceNumber = "12"
    ds.WindowCenter = ["40", "-1e2"]
    ds.WindowWidth = ["400", "2.5"]
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.PixelRepresentation = 2, 3, 16, 1
    ds.SmallestImagePixelValue = -5
    ds.FrameIncrementPointer = 0x00181063
    ds.DopplerCorrectionAngle = 1.5
    ds.RegionOfResidence = None
    ds.add_new(0x00186048, "SL", [-7, 8])
    ds.add_new(0x00186052, "FD", 0.125)
    ds.add_new(0x00189404, "FL", [1.25, -2.0])
    ds.add_new(0x00480301, "CS", "YES")
    ds.add_new(0x00420011, "OB", b"%PDF-1.4")
    ds.add_new(0x00281408, "OW", b"\x01\x00\x02\x00")
    inner = Dataset()
    inner.CodeValue, inner.CodingSchemeDesignator, inner.CodeMeaning = "76752008", "SCT", name.split("^")[0]
    empty = Dataset()
    outer = Dataset()
    outer.ConceptNameCodeSequence = Sequence([inner])
    outer.TextValue = "text "
    ds.ContentSequence = Sequence([outer, empty])
    ds.ViewCodeSequence = Sequence([])
    block = ds.private_block(0x0009, "LOBULE TEST", create=True)
    block.add_new(0x01, "LO", "own")
    block.add_new(0x02, "UN", b"\x01\x02")
    return ds


def save(name, ds, syntax):
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    little, implicit = syntax != BIG, syntax == IMPLICIT
    pydicom.dcmwrite(HERE / name, ds, little_endian=little, implicit_vr=implicit, enforce_file_format=True)


save("explicit_latin1.dcm", every_kind("ISO_IR 100", "Müller^Zoë"), EXPLICIT)
save("explicit_utf8.dcm", every_kind("ISO_IR 192", "Yamada^Tarou=山田^太郎=やまだ^たろう"), EXPLICIT)
save("explicit_japanese.dcm", every_kind(["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"), EXPLICIT)
save("implicit_ascii.dcm", every_kind(None, "DOE^JANE"), IMPLICIT)
save("big_ascii.dcm", every_kind(None, "DOE^JANE"), BIG)


def nulls(model):
    """Empty values among others are null (PS3.18 F.2.5); pydicom writes empty texts."""
    for element in model.values():
        values = element.get("Value", [])
        if not values:  # an empty sequence has none (F.2.5); pydicom writes an empty list
            element.pop("Value", None)
        element.update({"Value": [None if value == "" else value for value in values]} if values else {})
        for item in values if element["vr"] == "SQ" else []:
            nulls(item)
    return model


expected = {}
for file in sorted(TESTS.glob("golden*/*.dcm")):
    ds = pydicom.dcmread(file)
    model = ds.to_json_dict(bulk_data_threshold=1 << 20, bulk_data_element_handler=lambda e: None)
    if "7FE00010" in model:
        model["7FE00010"] = {"vr": model["7FE00010"]["vr"], "BulkDataURI": "BULK/7FE00010"}
    if file.name == "big_ascii.dcm":  # words are little endian in the model (F.2.7); pydicom leaves the file's order
        words = base64.b64decode(model["00281408"]["InlineBinary"])
        swapped = b"".join(words[i + 1 : i - 1 if i else None : -1] for i in range(0, len(words), 2))
        model["00281408"]["InlineBinary"] = base64.b64encode(swapped).decode()
    expected[str(file.relative_to(TESTS))] = nulls(model)
lines = [f"{json.dumps(name)}: {json.dumps(model, ensure_ascii=False)}" for name, model in expected.items()]
(HERE / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(len(expected), "files")
