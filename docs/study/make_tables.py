"""Makes the synthetic tables beside this file. No patient is behind any row.

    python3 make_tables.py

breasts.csv     1,440 breasts of 720 exams (61 malignant), 14 readers and 3 models, one row per
                breast: the shape of a published reader study, wide layout.
modalities.csv  160 exams, 6 readers, without and with AI, long layout.
marks.csv       60 exams, 4 readers, two modalities, marks on lesions, long layout.
screening.csv   4,000 screened exams: first and second reader, arbiter, biopsies, one algorithm.
cohort.csv      500 patients followed up to 10 years: event 1 recurrence, 2 other death.
"""

import csv
import math
import random
from pathlib import Path

HERE = Path(__file__).parent
SEED = 20200611


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def write(name, header, rows):
    with open(HERE / name, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def breasts(rng):
    units = [(exam, side) for exam in range(1, 721) for side in "LR"]
    malignant = set(rng.sample(range(len(units)), 61))
    exam_effect = {exam: rng.gauss(0, 0.5) for exam in range(1, 721)}
    skill = [rng.uniform(0.7, 1.15) for _ in range(14)]
    bias = [rng.gauss(0, 0.4) for _ in range(14)]
    rows = []
    for index, (exam, side) in enumerate(units):
        truth = index in malignant
        hard = rng.gauss(0, 0.8) + exam_effect[exam]
        signal = 2.0 * truth + 0.55 * hard
        readers = []
        for own, shift in zip(skill, bias):
            value = own * signal + rng.gauss(0, 1.0) + shift
            # Readers give most breasts a probability of 0.
            readers.append(round(max(0.0, sigmoid(2.2 * (value - 1.6)) - 0.08), 2))
        models = [
            round(sigmoid(1.6 * (gain * truth + 0.45 * hard + rng.gauss(0, 0.9)) - 4.0), 4)
            for gain in (2.6, 2.0, 1.2)
        ]
        density = "ABCD"[min(3, max(0, int(rng.gauss(1.6, 0.9))))]
        rows.append([exam, side, density, int(truth), *readers, *models])
    # One density per exam.
    of_exam = {}
    for row in rows:
        row[2] = of_exam.setdefault(row[0], row[2])
    header = ["exam", "side", "density", "label"]
    header += [f"Reader{n:02d}" for n in range(1, 15)] + ["AI_large", "AI_small", "AI_old"]
    write("breasts.csv", header, rows)


def modalities(rng):
    cases = [(f"c{n:03d}", n % 4 == 0, rng.gauss(0, 1)) for n in range(1, 161)]
    rows = []
    for reader in range(1, 7):
        skill = rng.uniform(0.8, 1.2)
        for modality, help_ in (("without AI", 0.0), ("with AI", 0.45)):
            for case, truth, hard in cases:
                value = (1.3 * skill + help_) * truth + 0.6 * hard + rng.gauss(0, 0.9)
                rating = min(5, max(1, round(2.3 + value)))
                rows.append([f"reader {reader}", modality, case, int(truth), rating])
    for case, truth, hard in cases:
        score = sigmoid(1.9 * truth + 0.5 * hard + rng.gauss(0, 0.9) - 1.5)
        rows.append(["AI", "alone", case, int(truth), round(score, 4)])
    write("modalities.csv", ["reader", "modality", "case", "truth", "rating"], rows)


def marks(rng):
    rows, lesions = [], {}
    for n in range(1, 61):
        case = f"c{n:02d}"
        lesions[case] = [(rng.uniform(20, 180), rng.uniform(20, 180)) for _ in range(rng.choice((1, 1, 2)))] if n % 2 else []
        if not lesions[case]:
            rows.append(["truth", "truth", case, 0, "", "", "", ""])
        for index, (x, y) in enumerate(lesions[case]):
            rows.append(["truth", "truth", case, 1, "ab"[index], "", round(x, 1), round(y, 1)])
    for reader in range(1, 5):
        for modality, help_ in (("2D", 0.0), ("3D", 0.6)):
            for case, found in lesions.items():
                truth = int(bool(found))
                for index, (x, y) in enumerate(found):
                    value = rng.gauss(0.9 + help_, 1)
                    if value > 0:
                        place = [round(x + rng.gauss(0, 4), 1), round(y + rng.gauss(0, 4), 1)]
                        rows.append([f"reader {reader}", modality, case, truth, "ab"[index], round(value, 2), *place])
                if rng.random() < 0.3:
                    place = [round(rng.uniform(0, 200), 1), round(rng.uniform(0, 200), 1)]
                    rows.append([f"reader {reader}", modality, case, truth, "", round(abs(rng.gauss(0, 0.7)), 2), *place])
    write("marks.csv", ["reader", "modality", "case", "truth", "lesion", "rating", "x", "y"], rows)


def screening(rng):
    rows = []
    for exam in range(1, 4001):
        truth = rng.random() < 0.012
        hard = rng.gauss(0, 1)
        score = sigmoid(3.0 * truth + 0.6 * hard + rng.gauss(0, 0.9) - 2.5)
        first, second = (
            int(3.3 * truth + 0.7 * hard + rng.gauss(0, 0.8) > 2.0) for _ in range(2)
        )
        arbiter = "" if first == second else int(2.5 * truth + rng.gauss(0, 1) > 0.8)
        recalled = first if first == second else arbiter
        recommended = int(recalled and (truth or rng.random() < 0.3))
        performed = int(recommended and rng.random() < 0.95)
        biopsies = [recommended, performed] if recalled else ["", ""]
        rows.append([exam, int(truth), first, second, arbiter, *biopsies, round(score, 4)])
    header = ["case", "truth", "first", "second", "arbiter", "biopsy_recommended", "biopsy_performed", "AI"]
    write("screening.csv", header, rows)


def cohort(rng):
    rows = []
    for patient in range(1, 501):
        age = min(88, max(28, round(rng.gauss(57, 11))))
        grade = rng.choices((1, 2, 3), (0.2, 0.5, 0.3))[0]
        score = sigmoid(rng.gauss(0, 1) + 0.5 * (grade - 2))
        group = "low" if score < 0.4 else "middle" if score < 0.65 else "high"
        hazard = 0.045 * math.exp(2.2 * (score - 0.5) + 0.3 * (grade - 2))
        other = 0.012 * math.exp(0.06 * (age - 57))
        times = [
            (rng.expovariate(hazard), 1),
            (rng.expovariate(other), 2),
            (rng.uniform(2, 10), 0),
        ]
        years, event = min(times)
        rows.append([patient, max(0.01, round(years, 2)), event, group, round(score, 3), age, grade])
    header = ["patient", "years", "event", "risk_group", "score", "age", "grade"]
    write("cohort.csv", header, rows)


def main():
    for index, make in enumerate((breasts, modalities, marks, screening, cohort)):
        make(random.Random(SEED + index))


if __name__ == "__main__":
    main()
