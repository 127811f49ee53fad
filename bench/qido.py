"""How long searches take among 100,000 studies.

    cargo build --release
    python bench/qido.py [--studies 100000] [--rounds 2000]

Fills the database of a fresh data folder (two series and four objects a study), starts the service on it, and asks over one
connection, one search after the other, kinds in turn. Prints median and 99th percentile by kind and over all. Searches
the issue bounds: p99 <= 5 x the median over all.
"""

import argparse
import http.client
import json
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
arguments = argparse.ArgumentParser()
arguments.add_argument("--studies", type=int, default=100_000)
arguments.add_argument("--rounds", type=int, default=2000)
arguments.add_argument("--limit", type=int, default=25, help="matches of a page")
options = arguments.parse_args()
rng = random.Random(1)
LAST = ["mueller", "tanaka", "okafor", "silva", "nowak", "haddad", "lindqvist", "moreau", "kowalczyk", "ferrari"]
FIRST = ["anna", "beatriz", "chiyo", "dalia", "elena", "fatou", "greta", "hana", "ingrid", "joana"]


class Service:
    def __init__(self, data):
        self.process = subprocess.Popen(
            [ROOT / "target/release/lobule", "serve", "--data", data, "--dicom-port", "0", "--http-port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.host = self.process.stdout.readline().strip().removeprefix("http://").rstrip("/")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def line(tag, vr, value):
    return json.dumps(tag) + ":" + json.dumps({"vr": vr, "Value": [value]}, separators=(",", ":"))


def fill(path):
    db = sqlite3.connect(path)
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = OFF")
    for n in range(options.studies):
        uid = f"1.2.826.0.{n}"
        last, first = rng.choice(LAST), rng.choice(FIRST)
        name = f"{last}{n % 997}^{first}"
        date = f"{2010 + n % 16}{1 + n // 16 % 12:02}{1 + n // 192 % 28:02}"
        study = db.execute(
            "INSERT INTO study (uid, key, state, first_arrival, last_arrival, changed_at) VALUES (?, ?, 'done', 1, 1, 1) RETURNING id",
            (uid, f"exam-{n}")).fetchone()[0]
        lines = "\n".join([line("00080020", "DA", date), line("00080030", "TM", "101500"), line("00080050", "SH", f"A{n}"),
                           line("00100010", "PN", {"Alphabetic": name}), line("00100020", "LO", f"P{n}"), line("0020000D", "UI", uid)])
        db.execute("INSERT INTO study_index (study, uid, date, time, accession, referring, patient_name, patient_id, ident, description, attributes)"
                   " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                   (study, uid, date, "101500000000", f"A{n}", f"dr {n % 50}", name, f"P{n}", f"S{n}", "Screening", lines))
        for s, modality in enumerate((rng.choice(("MG", "MG", "US")), "SR")):
            series = db.execute("INSERT INTO series (study, uid, modality, number, attributes) VALUES (?,?,?,?,?) RETURNING id",
                                (study, f"{uid}.{s}", modality, s, line("0020000E", "UI", f"{uid}.{s}"))).fetchone()[0]
            for o in range(2):
                db.execute("INSERT INTO object (series, uid, class, syntax, number, sha256, attributes) VALUES (?,?,?,?,?,?,?)",
                           (series, f"{uid}.{s}.{o}", "1.2.3", "1.2.4", o, "00", line("00080018", "UI", f"{uid}.{s}.{o}")))
        if n % 10_000 == 9_999:
            db.commit()
            print(n + 1, "studies", file=sys.stderr)
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def kinds():
    n = rng.randrange(options.studies)
    page = f"limit={options.limit}"
    name = rng.choice(LAST)
    return {
        "list": f"/studies?{page}",
        "list, page 5": f"/studies?{page}&offset={4 * options.limit}",
        "study uid": f"/studies?StudyInstanceUID=1.2.826.0.{n}",
        "patient id": f"/studies?PatientID=P{n}",
        "accession": f"/studies?AccessionNumber=A{n}",
        "name begins": f"/studies?PatientName={name}{n % 997}*&{page}",
        "name holds": f"/studies?PatientName=*{name[2:]}{n % 997}*&{page}",
        "day": f"/studies?StudyDate={2010 + n % 16}{1 + n // 16 % 12:02}{1 + n // 192 % 28:02}&{page}",
        "month, modality": f"/studies?StudyDate={2010 + n % 16}0101-{2010 + n % 16}0131&ModalitiesInStudy=MG&{page}",
        "modality": f"/studies?ModalitiesInStudy=US&{page}",
        "series": f"/studies/1.2.826.0.{n}/series",
        "instances": f"/studies/1.2.826.0.{n}/instances",
        "nobody": f"/studies?PatientID=X{n}",
    }


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


with tempfile.TemporaryDirectory() as folder:
    data = Path(folder) / "data"
    Service(data).stop()
    began = time.monotonic()
    fill(data / "lobule.db")
    print(f"{options.studies} studies filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
    service = Service(data)
    times = {}
    try:
        connection = http.client.HTTPConnection(service.host)
        for round in range(options.rounds // 13 + 3):
            for kind, path in kinds().items():
                begin = time.perf_counter()
                connection.request("GET", "/dicomweb" + path)
                answer = connection.getresponse()
                body = answer.read()
                took = time.perf_counter() - begin
                expected = {"nobody": [204], "day": [200, 204], "month, modality": [200, 204]}.get(kind, [200])
                assert answer.status in expected, (kind, path, answer.status, body[:200])
                # The first rounds warm the caches.
                if round >= 3:
                    times.setdefault(kind, []).append(took * 1000)
        deep = []
        for _ in range(5):
            begin = time.perf_counter()
            connection.request("GET", f"/dicomweb/studies?limit=25&offset={options.studies - 100}")
            assert connection.getresponse().read()
            deep.append((time.perf_counter() - begin) * 1000)
    finally:
        service.stop()
    print("| search | n | median ms | p99 ms |\n|---|---|---|---|")
    for kind, values in times.items():
        print(f"| {kind} | {len(values)} | {statistics.median(values):.2f} | {percentile(values, 0.99):.2f} |")
    everything = [value for values in times.values() for value in values]
    median, p99 = statistics.median(everything), percentile(everything, 0.99)
    print(f"| all | {len(everything)} | {median:.2f} | {p99:.2f} |")
    print(f"\np99 / median = {p99 / median:.1f}; last page of all studies (offset {options.studies - 100}): {statistics.median(deep):.1f} ms")
