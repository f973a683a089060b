"""nginx with one worker, which the kernel lets send files, as Debian configures it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

FILES = Path(__file__).parents[1] / "files"
CONFIGURATION = """
{user}
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log stderr crit;
events {{ worker_connections 2048; }}
http {{
    sendfile on;
    tcp_nopush on;
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location /static/ {{ alias {files}/; }}
    }}
}}
"""


def main(port: int) -> None:
    # Its worker would not be root, and not be let into a home directory.
    user = "user root;" if os.geteuid() == 0 else ""
    folder = tempfile.mkdtemp(prefix="headrace-nginx-")
    configuration = Path(folder, "nginx.conf")
    configuration.write_text(CONFIGURATION.format(user=user, folder=folder, port=port, files=FILES))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    os.execv(program, [program, "-p", folder, "-c", str(configuration)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
