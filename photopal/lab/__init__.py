"""The research harness. Only the command line imports it.

| folder | contents |
| --- | --- |
| `synthetic/` | the drawn world: identities, scenes, drawing, dialogue |
| `pretrain/` | trains the bundled model and its variant without names |
| `datasets/` | datasets of the papers, and drawn ones in their layout |
| `metrics/` | figures from answers and truths |
| `experiments/` | the experiments of `eval report`, and other evaluations on drawn photos |
| `camera/` | evaluations on folders of camera photos |
"""
