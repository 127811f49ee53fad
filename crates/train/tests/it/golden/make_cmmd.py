"""A workbook with the columns of CMMD's clinical data and three made-up rows.

    pip install openpyxl
    python make_cmmd.py        # writes cmmd.xlsx
"""

from pathlib import Path

from openpyxl import Workbook

book = Workbook()
sheet = book.active
sheet.append(["ID1", "LeftRight", "Age", "number", "abnormality", "classification", "subtype"])
sheet.append(["D1-0001", "R", 44, 2, "mass", "Benign", None])
sheet.append(["D1-0002", "L", 40, 2, "calcification", "Benign", None])
sheet.append(["D1-0002", "L", 40, 2, "mass", "Malignant", "Luminal A"])
book.save(Path(__file__).parent / "cmmd.xlsx")
