"""The two keys that mark a row as never to be trained on. Knows nothing of who writes them."""

QUARANTINE_MARK = "holdfast_quarantine"
"""On every row of a quarantine file: what an audit took out does not come back as training data."""

ANSWER_MARK = "holdfast_answer"
"""On every stored answer of a measurement: what a model said while it was tested is not training data."""

MARKS = (QUARANTINE_MARK, ANSWER_MARK)
