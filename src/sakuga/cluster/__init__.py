"""The same stylizer on many machines, by Ray (extra `cluster`)."""
