"""Makes the seeds in corpus-seeds/: valid examples, and the broken ones worth keeping.

    pip install pillow==11.3.0
    python make_seeds.py

Files named `found_*` were found by the fuzzer and are not made here. The valid DICOM files are those
of crates/dicomio/tests/golden, which the replay reads as well.
"""

import seeds.dicom
import seeds.manifests
import seeds.packages
import seeds.pictures  # noqa: F401
