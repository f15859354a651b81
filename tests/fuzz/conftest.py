"""How many cases hypothesis tries: few in a usual run, `PHOTOPAL_FUZZ_CASES=100000` for a long one."""

import os

from hypothesis import HealthCheck, settings

CASES = int(os.environ.get("PHOTOPAL_FUZZ_CASES", "60"))

settings.register_profile(
    "photopal",
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=CASES < 1000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("photopal")
