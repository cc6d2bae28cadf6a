"""TensorBoard's and MLflow's own readers find in what `log` wrote every figure of metrics.jsonl and results.csv, once."""
import os
import struct
import unittest

import bioft
import test_log

# Recent versions want to be told that the file store is meant.
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
from mlflow.tracking import MlflowClient           # noqa: E402
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator    # noqa: E402


class Readers(bioft.Case):
    def setUp(self):
        super().setUp()
        self.manifest(test_log.LOGGED.replace("[usf]", "[usf, bp]"))
        self.good("run", "m.yaml", "--out", "out", "--quiet")
        self.out = self.folder / "out"

    def test_tensorboard(self):
        for trial in (self.out / "trials").iterdir():
            reader = EventAccumulator(str(trial), size_guidance={"scalars": 0})
            reader.Reload()
            found = [(e.step, tag, e.value) for tag in reader.Tags()["scalars"] for e in reader.Scalars(tag)]
            want = [(s, n, struct.unpack("<f", struct.pack("<f", v))[0]) for s, n, v in test_log.expected(trial)]
            self.assertGreater(len(want), 20)
            self.assertEqual(sorted(found), want)

    def test_mlflow(self):
        client = MlflowClient(tracking_uri=(self.out / "mlruns").as_uri())
        experiment = client.get_experiment_by_name("small")
        runs = client.search_runs([experiment.experiment_id])
        self.assertEqual(sorted(r.info.run_name for r in runs), sorted(os.listdir(self.out / "trials")))
        best = client.search_runs([experiment.experiment_id], "params.`stages.fine-tune.rule.plugin` = 'bp'")
        self.assertEqual([r.info.run_name for r in best], ["01-rule=bp"])
        for run in runs:
            self.assertEqual(run.info.status, "FINISHED")
            self.assertLess(run.info.start_time, run.info.end_time)
            self.assertEqual(run.data.params["stages.fine-tune.optimizer.head_lr"], "0.001")
            found = [(m.step, m.key, m.value) for key in run.data.metrics
                     for m in client.get_metric_history(run.info.run_id, key)]
            self.assertEqual(sorted(found), test_log.expected(self.out / "trials" / run.info.run_name))
            artifacts = {a.path for a in client.list_artifacts(run.info.run_id)}
            self.assertLessEqual({"metrics.jsonl", "checkpoint.safetensors"}, artifacts)


if __name__ == "__main__":
    unittest.main()
