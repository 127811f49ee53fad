"""Manifests of exams."""

from .common import keep

HEAD = "exam,breast,file\n"
ROWS = "e1,left,a.png\ne1,right,b.dcm\n"
MANIFESTS = {
    "valid.csv": HEAD + ROWS,
    "valid_columns.csv": "label,FILE,breast,patient,exam\nbenign,a.png,L,p1,e1\n,b.png,,p2,e2\n",
    "valid_quotes.csv": HEAD + '"e ""1""",left,"a,\nb.png"\n',
    "valid_mark_and_returns.csv": "\ufeff" + (HEAD + ROWS).replace("\n", "\r\n"),
    "valid_no_rows.csv": HEAD,
    "valid_same_file_twice.csv": HEAD + "e1,left,a.png\ne2,right,./a.png\n",
    "valid_no_last_newline.csv": (HEAD + ROWS).rstrip(),
    "valid_outside_and_folders.csv": HEAD + "e1,left,../../x.png\ne1,left,.\ne1,left,/\ne1,,a.png/b\n",
    "valid_names_differ_in_case.csv": HEAD + "e,left,a.png\nE,left,b.png\ne-2,left,c.png\n",
    "empty.csv": "",
    "only_mark.csv": "\ufeff",
    "no_breast.csv": "exam,file\ne1,a.png\n",
    "unknown_breast.csv": HEAD + "e1,both,a.png\n",
    "short_row.csv": HEAD + "e1,left\n",
    "long_row.csv": HEAD + "e1,left,a.png,more\n",
    "open_quote.csv": HEAD + 'e1,left,"a.png\n',
    "columns_twice.csv": "exam,exam,breast,breast,file,file\na,b,left,right,a.png,b.png\n",
    "long_field.csv": HEAD + "e1,left," + "a" * 5000 + "\n",
    "nul.csv": b"exam,breast,file\ne\0,left,a\0.png\n",
    "not_utf8.csv": b"exam,breast,file\n\xff\xfe,left,\x80.png\n",
    "utf16.csv": (HEAD + ROWS).encode("utf-16"),
    "semicolons.csv": (HEAD + ROWS).replace(",", ";"),
    # Every row repeats the header's names.
    "wide_names.csv": "exam,breast,file," + ",".join(["n" * 200] * 20)
    + ("\ne,left,a.png" + "," * 20) * 40,
    "many_columns.csv": "exam,breast,file" + "," * 3000 + "\ne,left,a.png" + "," * 3000 + "\n",
}
for name, text in MANIFESTS.items():
    keep("assess_manifest", name, text)
