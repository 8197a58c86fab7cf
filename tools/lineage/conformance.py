"""Checks `bartizan lineage` against the real OpenLineage client, both ways.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install openlineage-python==1.54.0
    /tmp/venv/bin/python tools/lineage/conformance.py bin/bartizan

1. Events that the client makes and serialises are imported; the walk from the
   last output reaches every run and dataset.
2. What bartizan exports is parsed back into the client's own classes, whose
   validators run, and serialised again by the client.
3. That is imported once more, and the graph is the same.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    dataset_type_dataset,
    dataset_version_dataset,
    parent_run,
    symlinks_dataset,
)
from openlineage.client.serde import Serde

PRODUCER = "https://example.org/scheduler"


def run_id(n):
    return f"01941234-0000-7000-8000-{n:012d}"


def version(v):
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=v)}


def client_events():
    """A nightly job without versions, then a training with them."""
    events = []

    def emit(state, when, run, job, inputs=(), outputs=(), facets=None):
        events.append(
            RunEvent(
                eventType=state, eventTime=when, run=Run(runId=run_id(run), facets=facets or {}),
                job=Job(namespace="etl", name=job), inputs=list(inputs), outputs=list(outputs), producer=PRODUCER,
            )
        )

    links = {
        "symlinks": symlinks_dataset.SymlinksDatasetFacet(
            identifiers=[symlinks_dataset.Identifier(namespace="s3://lake", name="raw/loans", type="LOCATION")]
        )
    }
    parent = {
        "parent": parent_run.ParentRunFacet(
            run=parent_run.Run(runId=run_id(9)), job=parent_run.Job(namespace="etl", name="dag")
        )
    }
    for night in (1, 2):
        emit(RunState.START, f"2026-01-0{night}T01:00:00Z", night, "nightly", [InputDataset("db", "loans")], facets=parent)
        emit(RunState.COMPLETE, f"2026-01-0{night}T02:00:00Z", night, "nightly", outputs=[OutputDataset("db", "loans", facets=links)])
    emit(RunState.START, "2026-01-03T01:00:00+01:00", 3, "train", [InputDataset("s3://lake", "raw/loans"), InputDataset("hub", "base", facets=version("7"))])
    emit(RunState.FAIL, "2026-01-03T02:00:00Z", 3, "train")
    emit(RunState.START, "2026-01-04T01:00:00Z", 4, "train", [InputDataset("s3://lake", "raw/loans"), InputDataset("hub", "base", facets=version("7"))])
    model = {**version("sha256:" + "a" * 64), "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet(datasetType="MODEL")}
    emit(RunState.COMPLETE, "2026-01-04T03:00:00.123456Z", 4, "train", outputs=[OutputDataset("models", "scorer", facets=model)])
    return events


def bartizan(binary, *args, codes=(0,)):
    p = subprocess.run([binary, *args], capture_output=True, text=True, check=False)
    if p.returncode not in codes:
        sys.exit(f"bartizan {' '.join(args)}: exit {p.returncode}\n{p.stdout}{p.stderr}")
    return p.stdout


def facets(kinds, raw):
    """The client's own facet where it has one; other facets stay as they are."""
    out = {}
    for name, value in raw.items():
        value = dict(value)
        value.pop("_schemaURL")
        producer = value.pop("_producer")
        make = kinds.get(name)
        out[name] = make(value, producer) if make else raw[name]
    return out


DATASET = {
    "version": lambda v, p: dataset_version_dataset.DatasetVersionDatasetFacet(**v, producer=p),
    "datasetType": lambda v, p: dataset_type_dataset.DatasetTypeDatasetFacet(**v, producer=p),
    "symlinks": lambda v, p: symlinks_dataset.SymlinksDatasetFacet(
        identifiers=[symlinks_dataset.Identifier(**i) for i in v["identifiers"]], producer=p
    ),
}
RUN = {
    "parent": lambda v, p: parent_run.ParentRunFacet(run=parent_run.Run(**v["run"]), job=parent_run.Job(**v["job"]), producer=p),
}


def parse(raw):
    """An event as the client has it: its validators refuse what is none."""

    def dataset(make, d):
        return make(d["namespace"], d["name"], facets=facets(DATASET, d["facets"]))

    event = RunEvent(
        eventType=RunState[raw["eventType"]], eventTime=raw["eventTime"], producer=raw["producer"],
        run=Run(runId=raw["run"]["runId"], facets=facets(RUN, raw["run"]["facets"])), job=Job(**raw["job"]),
        inputs=[dataset(InputDataset, d) for d in raw["inputs"]], outputs=[dataset(OutputDataset, d) for d in raw["outputs"]],
    )
    assert event.schemaURL == raw["schemaURL"], (event.schemaURL, raw["schemaURL"])
    for name, facet in event.run.facets.items():
        if name in RUN:
            assert facet._schemaURL == raw["run"]["facets"][name]["_schemaURL"], name
    for mine, theirs in zip(event.inputs + event.outputs, raw["inputs"] + raw["outputs"]):
        for name, facet in mine.facets.items():
            if name in DATASET:
                assert facet._schemaURL == theirs["facets"][name]["_schemaURL"], name
    return event


def nodes(binary, path):
    doc = json.loads(bartizan(binary, "lineage", "show", str(path), "--format", "json", codes=(0, 2)))
    rows = doc["subjects"][0]["detail"]["rows"]
    return sorted((n["id"], n["kind"]) for n in rows["nodes"]), sorted((e["from"], e["to"], e["relation"]) for e in rows["edges"])


def main(binary):
    with tempfile.TemporaryDirectory() as tmp:
        first, exported, again = (pathlib.Path(tmp) / n for n in ("client.jsonl", "bartizan.jsonl", "again.jsonl"))
        first.write_text("".join(Serde.to_json(e) + "\n" for e in client_events()))

        walk = json.loads(bartizan(binary, "lineage", "walk", "scorer", "--from", str(first), "--up", "--format", "json", codes=(2,)))
        rows = walk["subjects"][0]["detail"]["rows"]
        reached = {n.get("name", "") for n in rows["nodes"]}
        assert {"scorer", "train", "nightly", "loans", "base"} <= reached, reached
        runs = [n for n in rows["nodes"] if n["kind"] == "run"]
        assert len(runs) == 4, runs  # both nights, their parent, and the training that did not fail
        assert {e["assurance"] for e in rows["edges"]} == {"declared"}
        assert walk["subjects"][0]["verdict"] == "review"

        bartizan(binary, "lineage", "export", str(first), "-o", str(exported))
        events = [parse(json.loads(line)) for line in exported.read_text().splitlines()]
        assert len(events) == 5, len(events)  # each run, and the parent that was only named
        again.write_text("".join(Serde.to_json(e) + "\n" for e in events))
        assert nodes(binary, first) == nodes(binary, again), (nodes(binary, first), nodes(binary, again))
        n, e = nodes(binary, first)
        print(f"openlineage: {len(client_events())} client events read, {len(events)} events written and parsed back, {len(n)} nodes and {len(e)} edges the same")


if __name__ == "__main__":
    main(sys.argv[1])
