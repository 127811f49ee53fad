"""Makes the seeds in corpus-seeds/: valid examples, and the broken ones worth keeping.

    pip install pillow==11.3.0
    python make_seeds.py

Files named `found_*` were found by the fuzzer and are not made here. The valid DICOM files are those
of crates/dicomio/tests/golden and golden_mammogram, the valid slides those of crates/slide/tests/golden; the
replay reads them as well.
"""

import seeds.dicom
import seeds.dimse  # noqa: F401
import seeds.manifests
import seeds.packages
import seeds.pictures  # noqa: F401
import seeds.slides  # noqa: F401
import seeds.studies  # noqa: F401
import seeds.web  # noqa: F401
