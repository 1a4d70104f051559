"""``nnctl report`` reads run directories and writes one page, or figures on stdout."""

import csv
import io
import json

import pytest

from nnctl.cli.app import run
from nnctl.run.artifacts import write_evaluation, write_layers
from nnctl.run.rundir import RunDir
from tests.report.fakes import epoch_events, evaluation


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs under runs/, the second one newer and still training."""
    monkeypatch.chdir(tmp_path)
    for number, rate, reason in ((1, 0.1, "early_stopping"), (2, 0.2, None)):
        folder = RunDir(tmp_path / "runs" / f"pets-00{number}")
        folder.prepare()
        folder.write_summary({"name": "pets", "started": f"2026-01-0{number}T00:00:00"})
        folder.write("spec.toml", f"# rate {rate}\n")
        folder.write("resolved.toml", f"[optimizer]\nlearning_rate = {rate}\n")
        lines = [{"event": "started", "epoch": 0, "step": 0}]
        lines += [{"event": "epoch", **event} for event in epoch_events(4, rate)]
        if reason:
            lines.append({"event": "finished", "epoch": 4, "step": 40, "reason": reason})
        text = "".join(json.dumps(line) + "\n" for line in lines)
        folder.write("events.jsonl", text + '{"event": "epoch", "epo')  # a kill left this
    first = RunDir(tmp_path / "runs" / "pets-001")
    write_evaluation(first, evaluation())
    write_layers(first, [{"layer": "dense_1", "parameters": 12}])
    return tmp_path / "runs"


def test_the_newest_run_gets_its_page(runs, capsys):
    assert run(["report"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "runs/pets-002/report.html\n"
    html = (runs / "pets-002" / "report.html").read_text()
    assert "<h1>pets-002</h1>" in html and "# rate 0.2" in html
    assert not (runs / "pets-001" / "report.html").exists()


def test_a_run_by_name_with_its_artifacts(runs, capsys):
    assert run(["report", "pets-001", "-o", "page.html"]) == 0
    html = (runs.parent / "page.html").read_text()
    assert "no longer improved" in html
    assert "Confusion matrix" in html and "dense_1" in html


def test_two_runs_as_markdown(runs, capsys):
    assert run(["report", "pets-001", "pets-002", "--format", "md"]) == 0
    assert "| `optimizer.learning_rate` | 0.1 | 0.2 |" in capsys.readouterr().out


def test_csv_and_json_on_stdout(runs, capsys):
    assert run(["report", "pets-001", "pets-002", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["run"] for row in rows] == ["pets-001"] * 4 + ["pets-002"] * 4
    assert run(["report", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["runs"][0]["metrics"]["test"]["accuracy"] == 0.79


def test_svg_to_a_file(runs, capsys):
    assert run(["report", "--format", "svg", "-o", "c.svg"]) == 0
    assert (runs.parent / "c.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["nope"], 6, "no such run or checkpoint: nope"),
        (["--format", "pdf"], 2, "'pdf'"),
        (["-o", "missing/page.html"], 2, "cannot write missing/page.html"),
    ],
)
def test_mistakes(runs, capsys, argv, status, message):
    assert run(["report", *argv]) == status
    assert message in capsys.readouterr().err


def test_no_run_at_all(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["report"]) == 6
    assert "there is no run in runs/" in capsys.readouterr().err
