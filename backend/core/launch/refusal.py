"""A start that cannot go on says why in one sentence, in both languages, and shows no traceback."""


class StartRefused(Exception):
    """The start cannot go on for a reason the person in front of it can mend.

    `log` are the last lines of what failed, shown before the sentence.
    """

    def __init__(self, chinese: str, english: str, *, log: str = "") -> None:
        super().__init__(english)
        self.chinese = chinese
        self.english = english
        self.log = log

    def __str__(self) -> str:
        sentence = f"{self.chinese}\n{self.english}"
        return f"{self.log.rstrip()}\n\n{sentence}" if self.log.strip() else sentence
