"""Judges the DICOM files of a folder with every program that is at hand; exits 1 when one of them objects.

Run by the tests with the Python of `scripts/install-validators`: `validate.py FOLDER [--sources FILE ...]`.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

JAVA = "/usr/share/java"
JARS = ["pixelmed", "slf4j-api", "slf4j-simple", "commons-codec", "jaxb-api", "vecmath", "javax.json"]
STATES = "1.2.840.10008.5.1.4.1.1.11."
REPORTS = "1.2.840.10008.5.1.4.1.1.88."
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
KEY_OBJECT = REPORTS + "59"
MAMMOGRAPHY_CAD = REPORTS + "50"
# Said of every file.
TOLERATED = [
    "Check for template constraints not yet supported",
    "W: Testing: ",
    "W: Test passed.",
    # PixelMed's table writes this meaning with two spaces, PS3.16 with one.
    '("Failed Detections") than code meaning in template concept name ("Failed  Detections")',
]
# PixelMed takes every group of measurements for a planar one when the whole report has exactly one outline, and then
# misses the outline in the groups of the breasts (TID 1501).
PLANAR = re.compile(r"Template 1410 .*/\[Row [57]\] .*Missing conditional content item")
complaints, skipped = [], set()


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, errors="replace")
    return done.returncode, done.stdout + done.stderr


def complain(program, file, lines):
    wrong = [line for line in lines if line.strip() and not any(t in line for t in TOLERATED)]
    complaints.extend(f"{program}: {file.name}: {line}" for line in wrong)


def beside_python(name):
    return pathlib.Path(sys.executable).parent / name


def dicom3tools(files, sources):
    for file in files:
        _, text = run(beside_python("dciodvfy"), "-new", file)
        complain("dciodvfy", file, [line for line in text.splitlines() if re.match(r"(Error|Abort)", line)])
    _, text = run(beside_python("dcentvfy"), *files, *sources)
    # A source may name images that are not at hand.
    of_sources = tuple(f"for file <{source}>" for source in sources)
    wrong = [line for line in text.splitlines() if line.startswith("Error") and not line.endswith(of_sources)]
    complain("dcentvfy", files[0].parent, wrong)


def inflated(source, folder):
    """The file itself, or, because dicom3tools reads none that is deflated, a plain copy."""
    import pydicom

    image = pydicom.dcmread(source)
    if image.file_meta.TransferSyntaxUID != pydicom.uid.DeflatedExplicitVRLittleEndian:
        return source
    image.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    image.save_as(folder / f"source-{pathlib.Path(source).name}")
    return folder / f"source-{pathlib.Path(source).name}"


def dcmtk(file, kind):
    program = "dsrdump" if kind.startswith(REPORTS) else "dcmpschk" if kind.startswith(STATES) else "dcmdump"
    path = shutil.which(program, path="/usr/bin")
    if path is None:
        skipped.add("dcmtk")
        return
    code, text = run(path, file)
    wrong = [line for line in text.splitlines() if re.match(r"[EFW]: ", line)]
    complain(program, file, wrong or ([f"exit {code}"] if code else []))


def pixelmed(files):
    """A quarter of a minute for each file, so two at a time."""
    if not pathlib.Path(JAVA, "pixelmed.jar").exists() or shutil.which("java") is None:
        skipped.add("PixelMed")
        return
    limits = [f"-Djdk.xml.{name}=0" for name in ("xpathExprGrpLimit", "xpathExprOpLimit", "xpathTotalOpLimit")]
    path = ":".join(f"{JAVA}/{jar}.jar" for jar in JARS)
    command = ["java", *limits, "-cp", path, "com.pixelmed.validate.DicomSRValidator"]
    with ThreadPoolExecutor(2) as pool:
        for file, (_, text) in zip(files, pool.map(lambda file: run(*command, file), files)):
            if "Root Template Validation Complete" not in text:
                complain("PixelMed", file, ["no verdict: " + text[-300:]])
            wrong = [line for line in text.splitlines() if re.match(r"(Error|Warning)", line)]
            complain("PixelMed", file, [line for line in wrong if not PLANAR.search(line)])


def highdicom(file, kind):
    import highdicom

    try:
        if kind == SEGMENTATION:
            segmentation = highdicom.seg.segread(file)
            for number in segmentation.segment_numbers:
                segmentation.get_segment_description(number)
        elif kind.startswith(REPORTS) and kind not in (KEY_OBJECT, MAMMOGRAPHY_CAD):
            highdicom.sr.srread(file)
    except Exception as error:  # any refusal is the verdict
        complain("highdicom", file, [repr(error)])


def fhir(folder):
    from fhir.resources.R4B.bundle import Bundle

    for file in pathlib.Path(folder).glob("*.json"):
        try:
            Bundle.model_validate_json(file.read_text())
        except Exception as error:  # any refusal is the verdict
            complain("fhir.resources", file, [repr(error)])


def main():
    import pydicom

    folder, *rest = sys.argv[1:]
    files = sorted(pathlib.Path(folder).glob("*.dcm"))
    if not files:
        sys.exit("no files to judge")
    with tempfile.TemporaryDirectory() as plain:
        dicom3tools(files, [inflated(source, pathlib.Path(plain)) for source in rest[1:]])
    reports = []
    for file in files:
        kind = pydicom.dcmread(file, stop_before_pixels=True).SOPClassUID
        dcmtk(file, kind)
        highdicom(file, kind)
        if kind.startswith(REPORTS) and kind != KEY_OBJECT:
            reports.append(file)
    pixelmed(reports)
    fhir(folder)
    for name in sorted(skipped):
        print(f"skipped: {name} is not installed")
    print(f"{len(files)} files judged, {len(complaints)} complaints")
    print("\n".join(complaints))
    sys.exit(1 if complaints else 0)


main()
