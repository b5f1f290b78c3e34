# SPDX-License-Identifier: Apache-2.0
"""A real DICOM service for tests: Debian's Orthanc with its DICOMweb plug-in, on loopback ports and
with a storage folder of its own."""
import json
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

BINARY = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/bin")
PLUGINS = [p for p in (pathlib.Path("/usr/lib/orthanc/plugins"), pathlib.Path("/usr/share/orthanc/plugins"))
           if list(p.glob("libOrthancDicomWeb.so*"))]
INSTALLED = BINARY is not None and bool(PLUGINS)


def FreePort():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Orthanc:
    """With `user`, HTTP basic authentication is asked for."""

    def __init__(self, folder, user=None, password=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = FreePort()
        self.url = f"http://127.0.0.1:{self.port}/dicom-web"
        plugin = sorted(PLUGINS[0].glob("libOrthancDicomWeb.so*"))[0]
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        settings = {
            "Name": "dcmveil-test", "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"), "Plugins": [str(plugin)],
            "DicomServerEnabled": False, "HttpPort": self.port, "RemoteAccessAllowed": False,
            "AuthenticationEnabled": user is not None, "OverwriteInstances": False,
            "StableAge": 1, "KeepAlive": True, "TcpNoDelay": True, "HttpThreadsCount": 16,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False,
                         "PublicRoot": "/dicom-web/"},
        }
        if user is not None:
            settings["RegisteredUsers"] = {user: password}
            token = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            token.add_password(None, f"http://127.0.0.1:{self.port}", user, password)
            self.opener.add_handler(urllib.request.HTTPBasicAuthHandler(token))
        configuration = self.folder / "orthanc.json"
        configuration.write_text(json.dumps(settings))
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen([BINARY, str(configuration)], stdout=self.log,
                                        stderr=subprocess.STDOUT, cwd=self.folder)
        self._Wait()

    def _Wait(self):
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError("Orthanc ended: " + (self.folder / "log").read_text()[-2000:])
            try:
                self.Rest("/system")
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError("Orthanc does not answer")

    def Rest(self, path, data=None, method=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method)
        with self.opener.open(request, timeout=60) as answer:
            return answer.read()

    def Upload(self, data):
        return json.loads(self.Rest("/instances", data=data))

    def Instances(self):
        """SOP Instance UID -> the stored file."""
        found = {}
        for name in json.loads(self.Rest("/instances")):
            tags = json.loads(self.Rest(f"/instances/{name}/simplified-tags"))
            found[tags["SOPInstanceUID"]] = self.Rest(f"/instances/{name}/file")
        return found

    def Stores(self):
        """How often an instance was stored."""
        count, since, done = 0, 0, False
        while not done:
            page = json.loads(self.Rest(f"/changes?since={since}&limit=1000"))
            count += sum(change["ChangeType"] == "NewInstance" for change in page["Changes"])
            since, done = page["Last"], page["Done"]
        return count

    def Stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
