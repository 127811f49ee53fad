"""A workbook with the columns of BrEaST's clinical data and three made-up rows.

    pip install openpyxl
    python make_breast.py        # writes breast.xlsx
"""

from pathlib import Path

from openpyxl import Workbook

book = Workbook()
sheet = book.active
sheet.append(["CaseID", "Image_filename", "Mask_tumor_filename", "Mask_other_filename", "Pixel_size",
              "Age", "BIRADS", "Verification", "Diagnosis", "Classification"])
sheet.append([1, "case001.png", "case001_tumor.png", None, 0.007, 57, "2", "follow-up", "not applicable", "benign"])
sheet.append([2, "case002.png", "case002_tumor1.png&case002_tumor2.png", "case002_other1.png", 0.007, None, "4b",
              "confirmed by biopsy", "Invasive carcinoma", "malignant"])
sheet.append([3, "case003.png", None, None, 0.007, 33, "1", "not applicable", "not applicable", "normal"])
book.save(Path(__file__).parent / "breast.xlsx")
