"""What the service answers: JSON in an envelope, with HTTP status 200 whatever the code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Answer:
    """`{code, message, result}`; a message of None is left out, a result of None is null."""

    code: int
    message: str | None
    result: Any

    @classmethod
    def success(cls, result: Any, message: str = "success!") -> Self:
        """The answer to an operation that was done; the enclave's library always says the same."""
        return cls(200, message, result)

    @classmethod
    def refused(cls, message: str | None, code: int = 400) -> Self:
        """An error of the service's outer layer, whose result is an empty object."""
        return cls(code, message, {})

    @classmethod
    def enclave_refused(cls) -> Self:
        """An error of the enclave's library, whose result is null and whose words are always the same."""
        return cls(500, "Server exception.", None)

    def body(self) -> dict[str, Any]:
        """The JSON document."""
        message = {} if self.message is None else {"message": self.message}
        return {"code": self.code} | message | {"result": self.result}


class RefusedError(Exception):
    """Ends an action with an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


UNKNOWN_ACCOUNT = Answer.refused(None)
NO_SUCH_ACTION = Answer.refused("API Not Found", 404)
INTERNAL_ERROR = Answer.refused("Server internal error, please contact the administrator.", 500)
