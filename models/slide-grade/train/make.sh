#!/usr/bin/env bash
# Makes the demonstration model: synthetic slides, a run, a package. LOBULE is the program built with the feature `train`;
# LOBULE_DATA holds databiox15; `weights/` holds the encoder's checkpoint.
set -euo pipefail
lobule="${LOBULE:-target/release/lobule}"
here="$(dirname "$0")"
"$lobule" phantom cohort --out runs/synthetic/training --seed 101 --patients 50 --grade-shares 0.5,0,0.5 --side 2048 --form plan
"$lobule" phantom cohort --out runs/synthetic/test --seed 102 --patients 36 --grade-shares 0.35,0.3,0.35 --side 2048 --form plan --stains common,pink,violet --scanners neutral,warm,cool
ln -sfn "$LOBULE_DATA/databiox15" runs/synthetic/databiox15
unset LOBULE_DATA # the configuration's paths start here
"$lobule" train slide --config "$here/run.toml" --out runs/slide-grade || [ $? = 3 ]
"$lobule" train package --run runs/slide-grade --description "$here/package.toml" --out models/slide-grade
