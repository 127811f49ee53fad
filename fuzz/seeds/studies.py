"""Tables of studies. The valid Parquet files were written once with pyarrow 26 and are kept."""

import io
import zipfile

from .common import HERE, keep

LONG = "reader,modality,case,truth,rating\n"
ROWS = "ann,film,c1,0,1\nann,film,c2,1,4\nbob,film,c1,0,2\nbob,film,c2,1,3\n"
WORKBOOK = (HERE.parent / "crates/study/tests/it/fixtures/workbook.xlsx").read_bytes()
TABLES = {
    "valid_long.csv": LONG + ROWS,
    "valid_sides.csv": "case,side,truth,score,density\ne1,left,1,0.9,A\ne1,right,0,0.1,A\ne2,left,0,0.2,B\n",
    "valid_imrmc.csv": "readerID,caseID,modalityID,score\ntruth,c1,truth,0\ntruth,c2,truth,1\nr1,c1,a,1.5\nr1,c2,a,2\n",
    "valid_marks.csv": "reader,case,lesion,weight,rating,x,y,truth\ntruth,c1,l1,1,,1,1,1\ntruth,c2,,,,,,0\n"
                       "ann,c1,l1,,4,,,1\nann,c2,,,2,,,0\n",
    "valid_survival.csv": "time,event,group\n1,1,a\n2,0,b\n2.5,2,a\n0,1,b\n",
    "valid_mark_and_returns.csv": "\ufeff" + (LONG + ROWS).replace("\n", "\r\n"),
    "empty.csv": "",
    "only_header.csv": LONG,
    "nan.csv": LONG + "ann,film,c1,0,nan\n",
    "infinite.csv": LONG + "ann,film,c1,0,1e999\n",
    "twice.csv": LONG + "ann,film,c1,0,1\nann,film,c1,0,2\n",
    "contradiction.csv": LONG + "ann,film,c1,0,1\nbob,film,c1,1,2\n",
    "one_class.csv": LONG + "ann,film,c1,1,1\nann,film,c2,1,2\n",
    "columns_twice.csv": "case,case,truth,rating,rating\na,b,0,1,2\n",
    "short_row.csv": LONG + "ann,film\n",
    "open_quote.csv": LONG + 'ann,film,"c1,0,1\n',
    "not_utf8.csv": LONG.encode() + b"ann,film,\xff\xfe,0,1\n",
    "negative_time.csv": "time,event,group\n-1,1,a\n",
    "large_event.csv": "time,event,group\n1,4294967296,a\n",
    "many_columns.csv": "case,truth,rating" + "," * 3000 + "\nc,1,1" + "," * 3000 + "\n",
    "valid_workbook.xlsx": WORKBOOK,
    "cut.xlsx": WORKBOOK[: len(WORKBOOK) // 2],
    "no_parts.xlsx": b"PK\x05\x06" + bytes(18),
    "PAR1.parquet": b"PAR1" + bytes(16) + b"PAR1",
    "huge_footer.parquet": b"PAR1" + bytes(16) + b"\xff\xff\xff\x7fPAR1",
}


def changed(part, old, new, added=()):
    """The workbook with something else in one of its parts, and further parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for item in before.infolist():
            data = before.read(item)
            if item.filename == part:
                assert old in data, part
                data = data.replace(old, new, 1)
            after.writestr(zipfile.ZipInfo(item.filename), data, zipfile.ZIP_DEFLATED)
        for name, data in added:
            after.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
TABLES["cell_in_the_last_place.xlsx"] = changed(SHEET, b"</sheetData>", FAR)
TABLES["unpacks_to_65_mib.xlsx"] = changed(SHEET, b"</sheetData>", b"</sheetData>" + b" " * (65 << 20))
SHARED = b"<sst><si><t>" + b"a" * (1 << 20) + b"</t></si></sst>"
ROWS_OF_IT = b'<row><c t="s"><v>0</v></c></row>' * 300 + b"</sheetData>"
TABLES["one_text_300_times.xlsx"] = changed(
    SHEET, b"</sheetData>", ROWS_OF_IT, [("xl/sharedStrings.xml", SHARED)]
)
for name, data in TABLES.items():
    keep("study_table", name, data)
