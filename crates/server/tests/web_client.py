"""Stores, searches and fetches with dicomweb-client, and compares with what pydicom reads from the files.

    python web_client.py http://127.0.0.1:8080/dicomweb crates/dicomio/tests
"""

import io
import sys
import warnings
from pathlib import Path

import numpy as np
import pydicom
import requests
from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

warnings.simplefilter("ignore")
url, tests = sys.argv[1], Path(sys.argv[2])
client = DICOMwebClient(url)
# As in the golden files: upsampling differs between decoders.
LOSSY = {"1.2.840.10008.1.2.4.50": 8, "1.2.840.10008.1.2.4.81": 3, "1.2.840.10008.1.2.4.91": 3}


def datasets(folder, study, name, date):
    series = generate_uid()
    for number, file in enumerate(sorted((tests / folder).glob("*.dcm")), 1):
        ds = pydicom.dcmread(file)
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = study, series, generate_uid()
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.SpecificCharacterSet, ds.PatientName, ds.PatientID = "ISO_IR 192", name, f"ID-{date}"
        ds.StudyDate, ds.AccessionNumber, ds.SeriesNumber, ds.InstanceNumber = date, f"A{date}", 1, number
        yield file, ds


def whole(ds):
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def data_set_bytes(file):
    """Behind the file meta information."""
    length = int.from_bytes(file[140:144], "little")
    return file[144 + length :]


def plain(model):
    return {tag: value for tag, value in model.items() if tag not in ("7FE00010",)}


def frames_of(ds):
    pixels = ds.pixel_array if not ds.file_meta.TransferSyntaxUID.is_compressed else None
    return pixels


exams = {
    generate_uid(): ("golden", "Müller^Zoë", "20260131"),
    generate_uid(): ("golden_mammogram", "Yamada^Tarou=山田^太郎", "20260228"),
}
stored = {}
for study, (folder, name, date) in exams.items():
    sets = list(datasets(folder, study, name, date))
    answer = client.store_instances([ds for _, ds in sets], study_instance_uid=study)
    assert "FailedSOPSequence" not in answer, answer
    assert len(answer.ReferencedSOPSequence) == len(sets)
    stored[study] = sets
print("stored", sum(map(len, stored.values())), "instances")

# Searches
assert len(client.search_for_studies()) == 2
for study, (_, name, date) in exams.items():
    for filters in (
        {"StudyInstanceUID": study}, {"PatientID": f"ID-{date}"}, {"PatientName": name.split("^")[0] + "*"},
        {"PatientName": f"*{name.split('^')[1][:3].upper()}*"}, {"AccessionNumber": f"A{date}"}, {"StudyDate": date},
        {"StudyDate": f"{date}-{date}", "ModalitiesInStudy": stored[study][0][1].Modality},
    ):
        found = client.search_for_studies(search_filters=filters)
        assert [s["0020000D"]["Value"][0] for s in found] == [study], (filters, found)
    one = pydicom.Dataset.from_json(found[0])
    assert str(one.PatientName).split("=")[0] == name.split("=")[0], one.PatientName
    assert one.NumberOfStudyRelatedInstances == len(stored[study])
    assert len(client.search_for_series(study)) == 1
    instances = client.search_for_instances(study, limit=10, offset=5)
    assert [i["00200013"]["Value"][0] for i in instances] == list(range(6, 16))
    assert list(instances[0]) == sorted(instances[0]), "attributes are in the order of their tags"
assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []
assert len(client.search_for_studies(fields=["StudyDescription"], fuzzymatching=True)) == 2
print("searched")

n_frames = n_compared = 0
for study, sets in stored.items():
    metadata = {m["00080018"]["Value"][0]: m for m in client.retrieve_study_metadata(study)}
    files = {ds.SOPInstanceUID: ds for ds in client.retrieve_study(study)}
    assert len(metadata) == len(files) == len(sets)
    for file, ds in sets:
        uid, series = ds.SOPInstanceUID, ds.SeriesInstanceUID
        expected = ds.to_json_dict(bulk_data_threshold=1 << 30)
        assert plain(metadata[uid]) == plain(expected), file.name
        assert data_set_bytes(whole(files[uid])) == data_set_bytes(whole(ds)), file.name
        # Frames as they are kept, and decoded.
        syntax = ds.file_meta.TransferSyntaxUID
        count = int(ds.get("NumberOfFrames", 1))
        numbers = list(range(1, count + 1))
        answer = requests.get(
            f"{url}/studies/{study}/series/{series}/instances/{uid}/frames/{','.join(map(str, numbers))}",
            headers={"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax=*'},
        )
        answer.raise_for_status()
        kept = list(client._decode_multipart_message(answer, stream=False))
        decoded = client.retrieve_instance_frames(
            study, series, uid, numbers, media_types=(("application/octet-stream", str(ExplicitVRLittleEndian)),)
        )
        assert len(kept) == len(decoded) == count, file.name
        n_frames += count
        if syntax.is_compressed:
            fragments = list(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=count))
            assert kept == fragments, file.name
        else:
            assert kept == decoded, file.name
        kind = np.uint8 if ds.BitsAllocated == 8 else np.dtype(np.int16 if ds.PixelRepresentation else np.uint16)
        if not syntax.is_compressed and syntax != "1.2.840.10008.1.2.2":
            size = len(decoded[0])
            assert b"".join(decoded) == ds.PixelData[: size * count], file.name
            n_compared += 1
        else:
            try:
                raw = ds.SamplesPerPixel == 1 or "YBR" not in ds.PhotometricInterpretation
                pixels = pydicom.pixels.pixel_array(ds, raw=raw)
            except RuntimeError as error:
                print(f"not compared: {file.name}: {str(error).splitlines()[0][:80]}")
                continue
            got = np.frombuffer(b"".join(decoded), kind)
            expected = np.ascontiguousarray(pixels).ravel()
            if "unmarked" in file.name or "jpeg_rgb" in file.name:
                continue  # pydicom takes these for YBR
            difference = np.abs(got.astype(int) - expected.astype(int)).max()
            assert difference <= LOSSY.get(str(syntax), 1 if "YBR" in ds.PhotometricInterpretation else 0), (file.name, difference)
            n_compared += 1
        bulk = metadata[uid]["7FE00010"]["BulkDataURI"]
        bulk = client.retrieve_bulkdata(bulk)
        assert b"".join(bulk)[: len(kept[0])] == kept[0], file.name
        picture = Image.open(io.BytesIO(client.retrieve_instance_rendered(study, series, uid, media_types=("image/png",))))
        assert picture.size == (ds.Columns, ds.Rows), file.name
        one = client.retrieve_instance(study, series, uid)
        assert one.SOPInstanceUID == uid
assert n_compared >= 70, n_compared
print("fetched", n_frames, "frames,", n_compared, "instances compared")

# Refusals are errors of the client, with a reason.
other = stored[study][0][1]
for refused in (
    lambda: client.store_instances([other], study_instance_uid="1.2.3"),
    lambda: client.search_for_studies(search_filters={"StudyDate": "yesterday"}),
    lambda: client.retrieve_instance("1.2.3", "1.2.3", "1.2.3"),
):
    try:
        refused()
    except requests.HTTPError as error:
        assert 400 <= error.response.status_code < 500, error
    else:
        raise AssertionError("expected a refusal")
print("refused what has to be")
