"""The service under load, beside Debian's Orthanc where it has a bar to meet.

    scripts/install-counterparts; scripts/install-validators      # dcmtk, Orthanc; a Python with pydicom
    cargo build --release
    target/validators/bin/python bench/service.py target/release/lobule [receive many overhead memory]

receive   dcmtk's storescu sends the same files to both in turn, three times; median rates. Durability: Orthanc with its defaults, among them
          SyncStorageArea true (each file is forced to the disk) and StorageAccessOnFind Always; its index (SQLite, WAL) is not forced with each
          instance. Lobule with `disk.durability = "files"` does the same; by default it forces the row as well.
many      8 associations of 500 instances each at once: how many are there afterwards.
overhead  one exam of four mammograms: `lobule assess` with DICOM results, and the same exam through the service, from the last acknowledgement
          to the finished result, less the wait for further images.
memory    10,000 studies of one small image, not read (the wait is longer than the run), then 1,000 more that are read by the stand-in
          model of the tests: resident memory along the way.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

STORESCU, ORTHANC = "/usr/bin/storescu", "/usr/sbin/Orthanc"
REPOSITORY = Path(__file__).resolve().parent.parent
STAND_IN = REPOSITORY / "crates/cli/tests/model"
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"
MAMMOGRAM = "1.2.840.10008.5.1.4.1.1.1.2"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def image(folder, number, study, shape, dtype, kind=ULTRASOUND):
    """A made-up image; its pixels differ from every other's."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = kind, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid()
    file = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    file.SOPClassUID, file.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    file.PatientID, file.PatientName = f"BENCH{study}", "SYNTHETIC^BENCH"
    file.StudyInstanceUID, file.SeriesInstanceUID = generate_uid(entropy_srcs=[f"study {study} {folder}"]), generate_uid()
    file.Modality, file.InstanceNumber = ("US" if kind == ULTRASOUND else "MG"), number
    file.StudyDate = file.StudyTime = file.StudyID = file.AccessionNumber = ""
    file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = *shape, 1, "MONOCHROME2"
    bits = 8 * np.dtype(dtype).itemsize
    file.BitsAllocated = file.BitsStored = bits
    file.HighBit, file.PixelRepresentation = bits - 1, 0
    noise = np.random.default_rng(number + 100_003 * study).integers(0, 200, (64, shape[1]), dtype=dtype)
    file.PixelData = np.tile(noise, (shape[0] // 64 + 1, 1))[: shape[0]].tobytes()
    path = folder / f"{study:05}-{number:05}.dcm"
    file.save_as(path, enforce_file_format=True)
    return path


class Service:
    def __init__(self, lobule, folder, config="", model=STAND_IN):
        self.folder, self.port = folder, free_port()
        (folder / "lobule.toml").write_text(config)
        command = [lobule, "serve", "--config", folder / "lobule.toml", "--data", folder / "data", "--http-port", "0",
                   "--dicom-port", str(self.port), "--engine", "rten", "--log", "warn"]
        command += ["--model", model] if model else []
        log = open(folder / "log", "w")
        self.process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=log, text=True)
        self.http = self.process.stdout.readline().strip().rstrip("/")
        assert self.http.startswith("http"), (folder / "log").read_text()
        self.process.stdout.readline()
        self.title = "LOBULE"

    def get(self, path):
        with urllib.request.urlopen(self.http + path) as answer:
            return answer.read().decode()

    def metric(self, name):
        return next(float(l.split()[1]) for l in self.get("/metrics").splitlines() if l.startswith(name + " "))

    def count(self):
        return int(self.metric("lobule_stored_instances"))

    def resident(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def stop(self):
        self.process.kill()
        self.process.wait()


class Orthanc:
    def __init__(self, folder):
        self.port, http = free_port(), free_port()
        storage = str(folder / "orthanc")
        config = {"StorageDirectory": storage, "IndexDirectory": storage, "HttpPort": http, "DicomPort": self.port,
                  "DicomAet": "ORTHANC", "SyncStorageArea": True, "RemoteAccessAllowed": False}
        (folder / "orthanc.json").write_text(json.dumps(config))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([ORTHANC, folder / "orthanc.json"], **quiet)
        self.title, self.http = "ORTHANC", f"http://127.0.0.1:{http}"
        for _ in range(200):
            try:
                self.count()
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("Orthanc did not start")

    def count(self):
        with urllib.request.urlopen(self.http + "/statistics") as answer:
            return json.load(answer)["CountInstances"]

    def stop(self):
        self.process.kill()
        self.process.wait()


def send(peer, files, associations):
    """Seconds until every file is acknowledged; files are shared out among so many associations at once."""
    begin = time.perf_counter()
    parts = [files[i::associations] for i in range(associations)]
    command = [STORESCU, "-aec", peer.title, "127.0.0.1", str(peer.port)]
    senders = [subprocess.Popen([*command, *map(str, part)]) for part in parts]
    assert all(sender.wait() == 0 for sender in senders), "a sender failed"
    return time.perf_counter() - begin


def receive(lobule):
    sets = {
        "ultrasound, 200 files of 0.8 MB": lambda f: [image(f, n, n // 20, (768, 1024), np.uint8) for n in range(200)],
        "mammograms, 12 files of 17 MB": lambda f: [image(f, n, n // 4, (3328, 2560), np.uint16, MAMMOGRAM) for n in range(12)],
        "small, 1000 files of 5 kB": lambda f: [image(f, n, n // 20, (64, 64), np.uint8) for n in range(1000)],
    }
    waits = "[study]\ncomplete_after_secs = 86400\n"
    for name, make in sets.items():
        with tempfile.TemporaryDirectory() as root:
            root = Path(root)
            files = make(root)
            for associations in (1, 4):
                rates = {"rows": [], "files": [], "Orthanc": []}
                for turn in range(3):
                    for side in rates:
                        folder = root / f"{side}-{associations}-{turn}"
                        folder.mkdir()
                        own = f'{waits}[disk]\ndurability = "{side}"\n'
                        peer = Orthanc(folder) if side == "Orthanc" else Service(lobule, folder, own)
                        rates[side].append(len(files) / send(peer, files, associations))
                        assert peer.count() == len(files), f"{side}: {peer.count()} of {len(files)}"
                        peer.stop()
                        shutil.rmtree(folder)
                rows, like, other = (statistics.median(rates[side]) for side in ("rows", "files", "Orthanc"))
                print(f"receive, {name}, {associations} associations: Orthanc {other:.0f}/s; files forced as there {like:.0f}/s, "
                      f"{like / other:.2f} x; rows as well (default) {rows:.0f}/s, {rows / other:.2f} x", flush=True)


def many(lobule):
    with tempfile.TemporaryDirectory() as root:
        root = Path(root)
        files = [image(root, n, n % 200, (256, 256), np.uint8) for n in range(4000)]
        service = Service(lobule, root, "[study]\ncomplete_after_secs = 86400\n")
        seconds = send(service, files, 8)
        there = service.count()
        service.stop()
        print(f"many: {there} of {len(files)} instances are there, {len(files) / seconds:.0f}/s", flush=True)
        assert there == len(files)


def overhead(lobule):
    with tempfile.TemporaryDirectory() as root:
        root = Path(root)
        demo = [lobule, "demo", "--out", root / "demo", "--engine", "rten"]
        subprocess.run([str(d) for d in demo], check=True, capture_output=True)
        exam = next(p.parent for p in (root / "demo/synthetic-dicom").rglob("*.dcm")
                    if pydicom.dcmread(p, stop_before_pixels=True).Modality == "MG")
        files = sorted(exam.glob("*.dcm"))
        folder = root / "service"
        folder.mkdir()
        service = Service(lobule, folder, "[study]\ncomplete_after_secs = 1\n", model=None)
        alone, served = [], []
        for turn in range(5):
            out = root / f"out-{turn}"
            command = [lobule, "assess", *files, "--engine", "rten", "--out", out, "--dicom-out", out / "dicom"]
            begin = time.perf_counter()
            done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            alone.append(time.perf_counter() - begin)
            # Another study each time: the same pixels under other identifiers.
            study, fresh = generate_uid(), root / f"fresh-{turn}"
            fresh.mkdir()
            for file in files:
                one = pydicom.dcmread(file)
                one.StudyInstanceUID = study
                one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = generate_uid()
                one.save_as(fresh / file.name)
            send(service, sorted(fresh.iterdir()), 1)
            begin = time.perf_counter()
            while json.loads(service.get(f"/api/v1/studies/{study}"))["state"] != "done":
                time.sleep(0.01)
            served.append(time.perf_counter() - begin - 1.0)
        service.stop()
        one, other = statistics.median(alone), statistics.median(served)
        print(f"overhead: assess {one:.2f} s, service {other:.2f} s, {100 * (other / one - 1):+.1f} %", flush=True)


def memory(lobule, studies=10_000, read=1000):
    with tempfile.TemporaryDirectory() as root:
        root = Path(root)
        (root / "waiting").mkdir()
        (root / "read").mkdir()
        service = Service(lobule, root / "waiting", "[study]\ncomplete_after_secs = 86400\n")
        files, sent = root / "files", []
        files.mkdir()
        for n in range(0, studies, 500):
            part = [image(files, 1, n + i, (64, 64), np.uint8) for i in range(500)]
            send(service, part, 2)
            sent.append(service.resident())
            for file in part[: -1] if n + 500 < studies else []:
                file.unlink()
        assert service.count() == studies
        print("memory, received: " + ", ".join(f"{n * 500 + 500}: {mib:.0f} MiB" for n, mib in enumerate(sent) if n % 2), flush=True)
        service.stop()
        service = Service(lobule, root / "read", "[study]\ncomplete_after_secs = 1\n")
        done, marks, begin = 0, [], time.perf_counter()
        for n in range(0, read, 100):
            send(service, [image(files, 1, studies + n + i, (96, 128), np.uint8) for i in range(100)], 2)
            done += 100
            while service.metric("lobule_reading_seconds_count") < done:
                time.sleep(0.1)
            marks.append(service.resident())
        seconds = time.perf_counter() - begin
        print(f"memory, read in {seconds:.0f} s: " + ", ".join(f"{n * 100 + 100}: {mib:.0f} MiB" for n, mib in enumerate(marks)))
        service.stop()


def main():
    lobule, *parts = sys.argv[1:]
    for needed in (STORESCU, ORTHANC):
        if not os.path.exists(needed):
            sys.exit(f"skipped: {needed} is not installed (scripts/install-counterparts)")
    known = {"receive": receive, "many": many, "overhead": overhead, "memory": memory}
    for part in parts or known:
        known[part](lobule)


if __name__ == "__main__":
    main()
