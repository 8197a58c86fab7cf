# Sourced by signing and hashing: makes $work, and $venv with model_signing.
work=${BARTIZAN_PEERS_WORK:-${TMPDIR:-/tmp}/bartizan-peers}
venv=${BARTIZAN_SIGNING_VENV:-$work/venv-signing}
mkdir -p "$work"
if ! cmp -s "$here/requirements-signing.txt" "$venv/requirements-signing.txt"; then
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-signing.txt"
  cp "$here/requirements-signing.txt" "$venv/requirements-signing.txt"
fi
