"""The claims of the method as experiments, one module each, and the report of them all; trains no model.

| module | what it answers |
| --- | --- |
| `learned` | Is anything learned? Lookalikes, places, marks, captions, calibration of p(yes) |
| `together` | Joint tuning against separate tuning, and against baselines |
| `starting` | k-means against random rows to start from |
| `tokens` | How many soft tokens |
| `photos` | How many photos; training-free against tuned |
| `crowd` | 2 to 64 registered concepts: everyone in the prompt, or the shortlist |
| `ingredients` | Boxes or nothing for masks, one name a prompt, no talk of looks |
| `order` | Photo first against concepts first |
| `calibration` | Thresholds, abstaining, risk and coverage |
| `adding` | One more concept for a bank that is in use |
| `mistakes` | Are deliberate mistakes seen? |
"""
