"""Makes a small slide in DICOM files: two levels, a label, every way to place tiles.

    pip install numpy==2.4.6 pillow==13.0.0 pydicom==3.0.2 wsidicom==0.36.1
    python make_golden.py

Run after ../golden/make_golden.py, whose drawn field is the slide. Native pixels must come back as they
are; wsidicom's reading of the JPEG level is kept as `jpeg.png`.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit
from wsidicom import WsiDicom

HERE = Path(__file__).parent
SIDE = 64
CLASS = "1.2.840.10008.5.1.4.1.1.77.1.6"


def item(**values):
    dataset = Dataset()
    for name, value in values.items():
        setattr(dataset, name, Sequence(value) if isinstance(value, list) and value and isinstance(value[0], Dataset) else value)
    return dataset


def tiles_of(pixels):
    rows, cols = (-(-n // SIDE) for n in pixels.shape[:2])
    whole = np.full((rows * SIDE, cols * SIDE, 3), 255, np.uint8)
    whole[:pixels.shape[0], :pixels.shape[1]] = pixels
    return [((r, c), np.ascontiguousarray(whole[r * SIDE:(r + 1) * SIDE, c * SIDE:(c + 1) * SIDE]))
            for r in range(rows) for c in range(cols)]


def jpeg(tile):
    out = io.BytesIO()
    Image.fromarray(tile).save(out, "JPEG", quality=90, subsampling=0)
    return out.getvalue()


def write(folder, name, number, size, tiles, mm, kind="VOLUME", series=1, sparse=False, offset=None, lossy=False):
    rows, cols = size
    spacing = item(PixelSpacing=[mm, mm], SliceThickness=0.001)
    data = item(
        SOPClassUID=CLASS, SOPInstanceUID=f"1.2.3.{series}.{number}", SeriesInstanceUID=f"1.2.3.{series}",
        StudyInstanceUID="1.2.3", FrameOfReferenceUID="1.2.3.9", Modality="SM", PatientName="Drawn^Slide",
        PatientID="drawn", StudyDate="", StudyTime="", AccessionNumber="", ReferringPhysicianName="",
        PatientBirthDate="", PatientSex="", StudyID="", SeriesNumber=1, InstanceNumber=number,
        Manufacturer="Lobule", ContentDate="20240101", ContentTime="000000", AcquisitionDateTime="20240101",
        ContainerIdentifier="drawn", FocusMethod="AUTO", ExtendedDepthOfField="NO", NumberOfOpticalPaths=1,
        TotalPixelMatrixFocalPlanes=1, BurnedInAnnotation="NO", SpecimenLabelInImage="NO",
        VolumetricProperties="VOLUME", LossyImageCompression="01" if lossy else "00",
        ImageType=["ORIGINAL", "PRIMARY", kind, "NONE"], Rows=SIDE, Columns=SIDE, NumberOfFrames=len(tiles),
        TotalPixelMatrixRows=rows, TotalPixelMatrixColumns=cols, SamplesPerPixel=3, PlanarConfiguration=0,
        PhotometricInterpretation="YBR_FULL" if lossy else "RGB", BitsAllocated=8, BitsStored=8, HighBit=7,
        PixelRepresentation=0, ImagedVolumeWidth=cols * mm, ImagedVolumeHeight=rows * mm, ImagedVolumeDepth=1.0,
        ImageOrientationSlide=[0, -1, 0, -1, 0, 0],
        TotalPixelMatrixOriginSequence=[item(XOffsetInSlideCoordinateSystem=20.0, YOffsetInSlideCoordinateSystem=20.0)],
        DimensionOrganizationType="TILED_SPARSE" if sparse else "TILED_FULL",
        OpticalPathSequence=[item(OpticalPathIdentifier="1", IlluminationTypeCodeSequence=[
            item(CodeValue="111744", CodingSchemeDesignator="DCM", CodeMeaning="Brightfield illumination")])],
        SharedFunctionalGroupsSequence=[item(PixelMeasuresSequence=[spacing])])
    if sparse:
        data.PerFrameFunctionalGroupsSequence = Sequence([
            item(PlanePositionSlideSequence=[item(
                ColumnPositionInTotalImagePixelMatrix=c * SIDE + 1, RowPositionInTotalImagePixelMatrix=r * SIDE + 1,
                XOffsetInSlideCoordinateSystem=0.0, YOffsetInSlideCoordinateSystem=0.0,
                ZOffsetInSlideCoordinateSystem=0.0)]) for (r, c), _ in tiles])
    if offset is not None:
        data.ConcatenationUID = "1.2.3.77"
        data.InConcatenationNumber = number
        data.ConcatenationFrameOffsetNumber = offset
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CLASS
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    if lossy:
        meta.TransferSyntaxUID = JPEGBaseline8Bit
        data.PixelData = encapsulate([jpeg(tile) for _, tile in tiles])
    else:
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.PixelData = b"".join(tile.tobytes() for _, tile in tiles)
    data["PixelData"].VR = "OB"
    data.file_meta = meta
    (HERE / folder).mkdir(exist_ok=True)
    data.save_as(HERE / folder / name, enforce_file_format=True)


field = np.asarray(Image.open(HERE.parent / "golden/strips_plain.tif"))
Image.fromarray(field).save(HERE / "field.png")
rows, cols = field.shape[:2]
half = field.reshape(rows // 2, 2, cols // 2, 2, 3).mean((1, 3)).round().astype(np.uint8)
Image.fromarray(half).save(HERE / "half.png")
fine, coarse = tiles_of(field), tiles_of(half)

# Level 0 in two parts of a concatenation, level 1 sparse and in another order, a label.
write("parts", "a.dcm", 1, field.shape[:2], fine[:4], 0.0005, offset=0)
write("parts", "b.dcm", 2, field.shape[:2], fine[4:], 0.0005, offset=4)
write("parts", "c.dcm", 3, half.shape[:2], coarse[::-1], 0.001, sparse=True)
write("parts", "label.dcm", 4, (SIDE, SIDE), coarse[:1], 0.01, kind="LABEL")
write("parts", "other.dcm", 1, (SIDE, SIDE), coarse[:1], 0.0005, series=2)
# Sparse, with one tile missing.
write("sparse", "a.dcm", 1, field.shape[:2], fine[:2] + fine[3:], 0.0005, sparse=True)
write("jpeg", "a.dcm", 1, field.shape[:2], fine, 0.0005, lossy=True)
with WsiDicom.open(HERE / "jpeg") as slide:
    slide.read_region((0, 0), 0, (cols, rows)).convert("RGB").save(HERE / "jpeg.png")
