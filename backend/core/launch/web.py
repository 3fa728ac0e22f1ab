"""The web server of a start. It logs as the settings say; requests are logged by the middleware, with their ids."""

import http.client
import sys

import uvicorn

# An open WebSocket never ends by itself; clients come back and ask for what they missed.
SECONDS_TO_CLOSE = 2


def main(host: str, port: int) -> None:
    """Serve until told to end. What a request says of its caller is for TRUSTED_PROXIES to judge, not for the server."""
    uvicorn.run(
        "backend.asgi:application",
        host=host,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SECONDS_TO_CLOSE,
    )


def answers(host: str, port: int) -> bool:
    """Whether anything at all is answered there: what it says about its health is for the health page."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
