#!/usr/bin/env bash
# Make all data files anew: install the libraries below $WORK, then run generate.py for each. Takes about half an hour.
#   PYENV=~/.pyenv/versions WORK=/tmp/symbols-work tools/symbols/generate_all.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PYENV=${PYENV:-$HOME/.pyenv/versions}
WORK=${WORK:-/tmp/symbols-work}
INTERPRETERS=${INTERPRETERS:-2.7.18 3.6.15 3.7.16 3.8.18 3.9.18 3.10.13 3.11.7 3.12.1 3.13.0}
base=$PYENV/3.11.7/bin/python
pip="$WORK/main/bin/pip --disable-pip-version-check -q"

install() {
  mkdir -p "$WORK"
  [ -d "$WORK/main" ] || "$base" -m venv "$WORK/main"
  [ -d "$WORK/np1" ] || "$base" -m venv "$WORK/np1"
  $pip install numpy scipy pandas scikit-learn joblib cloudpickle dill sympy networkx statsmodels tokenizers safetensors skops nltk \
    pillow pydantic attrs requests aiohttp pyyaml pytz python-dateutil tzdata imbalanced-learn category_encoders hmmlearn
  $pip install --no-deps lightgbm xgboost
  "$WORK/np1/bin/pip" -q install numpy==1.26.4 pandas==1.5.3 scipy==1.11.4 scikit-learn==1.2.2
  for name in transformers catboost keras mlflow-skinny matplotlib gensim sentence-transformers torchvision ultralytics timm spacy \
      thinc srsly fickling picklescan modelscan huggingface_hub; do
    [ -d "$WORK/src/$name" ] || $pip install --no-deps --target "$WORK/src/$name" "$name"
  done
}

# Sources of wheels that this Python cannot install.
wheel() { # FOLDER REQUIREMENT [pip download options]
  local folder=$WORK/old/$1
  [ -d "$folder" ] && return
  $pip download --no-deps -d "$WORK/wheels/$1" "${@:3}" "$2"
  mkdir -p "$folder"
  unzip -q -o "$WORK/wheels/$1"/*.whl '*.py' '*.pyi' '*.dist-info/*' -d "$folder" || true
}

old() { # FOLDER REQUIREMENT PYTHON ABI
  wheel "$1" "$2" --only-binary :all: --python-version "$3" --implementation cp --abi "$4" --platform manylinux1_x86_64 \
    --platform manylinux2010_x86_64
}

run() { # NAME [generate.py options]
  echo "== $1" >&2
  "$PYENV/3.12.1/bin/python" "$here/generate.py" --base "$base" --name "$@"
}

install
wheel torch torch
old sklearn20 scikit-learn==0.20.4 3.7 cp37m
old sklearn22 scikit-learn==0.22.2.post1 3.8 cp38
old sklearn24 scikit-learn==0.24.2 3.8 cp38
old pandas0 pandas==0.25.3 3.7 cp37m
old scipy12 scipy==1.2.1 3.6 cp36m

main=$WORK/main/lib/python3.11/site-packages np1=$WORK/np1/lib/python3.11/site-packages src=$WORK/src old=$WORK/old
interpreters=()
for version in $INTERPRETERS; do interpreters+=(--interpreter "$PYENV/$version/bin/python"); done
"$PYENV/3.12.1/bin/python" "$here/generate.py" "${interpreters[@]}"

run numpy --package numpy --site "$main" --site "$np1"
run scipy --package scipy --site "$main" --site "$np1" --also "$np1" --site "$old/scipy12"
run sklearn --package sklearn --site "$main" --site "$np1" --also "$np1" --site "$old/sklearn20" --site "$old/sklearn22" --site "$old/sklearn24"
run pandas --package pandas --site "$main" --site "$np1" --also "$np1" --site "$old/pandas0"
for name in joblib cloudpickle dill; do run $name --package $name --site "$main"; done
run torch --slim --source-only --package torch --package functorch --package torchgen --also "$main" --site "$old/torch"
for name in xgboost lightgbm skops imblearn category_encoders hmmlearn networkx; do
  run $name --slim --package $name --site "$main"
done
run nltk --slim --no-methods --package nltk --site "$main"
run tokenizers --slim --package tokenizers --package safetensors --site "$main"
run yaml --slim --package yaml --package _yaml --site "$main"
run dates --slim --package pytz --package dateutil --package tzdata --site "$main"
run requests --slim --package requests --package urllib3 --package certifi --package idna --package charset_normalizer --site "$main"
run aiohttp --slim --package aiohttp --package yarl --package multidict --package frozenlist --package aiosignal --site "$main"
run pydantic --slim --package pydantic --package pydantic_core --package attr --package attrs --package annotated_types --site "$main"
run pillow --slim --package PIL --site "$main"
run statsmodels --slim --package statsmodels --package patsy --site "$main"
run sympy --slim --no-methods --package sympy --package mpmath --site "$main"
run scanners --slim --add state --source-only --package fickling --site "$src/fickling" --package picklescan --site "$src/picklescan" \
  --package modelscan --site "$src/modelscan" --also "$main"
run catboost --slim --source-only --package catboost --site "$src/catboost" --also "$main"
run mlflow --slim --no-methods --source-only --package mlflow --site "$src/mlflow-skinny" --also "$main"
run keras --slim --source-only --package keras --site "$src/keras" --also "$main"
run gensim --slim --source-only --package gensim --site "$src/gensim" --also "$main"
run matplotlib --slim --source-only --package matplotlib --package mpl_toolkits --site "$src/matplotlib" --also "$main"
run spacy --slim --source-only --package spacy --site "$src/spacy" --package thinc --site "$src/thinc" --package srsly --site "$src/srsly" --also "$main"
torch=(--also "$old/torch" --also "$src/torchvision" --also "$main")
for name in torchvision ultralytics timm; do run $name --slim --source-only --package $name --site "$src/$name" "${torch[@]}"; done
run sentence_transformers --slim --source-only --package sentence_transformers --site "$src/sentence-transformers" --also "$src/transformers" "${torch[@]}"
run transformers --slim --no-methods --source-only --package transformers --package huggingface_hub --site "$src/transformers" --site "$src/huggingface_hub" "${torch[@]}"
