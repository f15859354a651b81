"""Experiments on a scenario's concepts: one registration, one evaluator, results, tables, the report.

| module | what it answers |
| --- | --- |
| `core_claims` | Is anything learned? Lookalikes, locations, marks, captions, calibration of p(yes) |
| `joint_training` | Joint tuning against separate tuning, and against baselines |
| `initialization` | k-means against random embeddings to start from |
| `learning_curves` | How many soft tokens; how many photos; training-free against tuned |
| `many_concepts` | 2 to 64 registered concepts: everyone in the prompt, or the shortlist |
| `risk_coverage` | Thresholds, abstaining, risk and coverage |
| `ablations` | Boxes or nothing for masks, one name a prompt, no talk of looks; photo or concepts first |
| `adding_concepts` | One more concept for a bank that is in use |
| `planted_errors` | Are deliberate errors detected? |
| `bundled_model` | Does the bundled model reach what its table promises? |
| `unnamed_questions` | What do models see without names? |
"""
