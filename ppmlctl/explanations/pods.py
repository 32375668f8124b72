"""What pods and submissions of BigDL PPML say in their logs."""

from __future__ import annotations

from ppmlctl.explanations.explanation import Explanation

_DATA_KEY = "intel-analytics/BigDL ppml/base/encrypted-fsd.sh, python/ppml/src/bigdl/ppml/kms/ehsm/client.py"
_ENTRYPOINT = "intel-analytics/BigDL ppml/trusted-bigdata/entrypoint.sh"
_INIT = "intel-analytics/BigDL ppml/base/init.sh"
_ATTESTATION = "intel-analytics/BigDL ppml/trusted-bigdata/attestation.sh"
_SUBMIT = "intel-analytics/BigDL ppml/trusted-bigdata/bigdl-ppml-submit.sh"
_KUBERNETES = "kubernetes.io/docs, debugging pods"

ROWS = (
    Explanation(
        "/ppml/bash.sig is not ready",
        "the image is not signed; the pod ends with 0 all the same",
        "use the custom image that ppmlctl signed, for executors as well",
        _INIT,
    ),
    Explanation(
        "both /dev/sgx/enclave /dev/sgx_enclave are not ready",
        "the pod has no SGX device; it ends with 0 all the same",
        "ask for sgx.intel.com/enclave, and check the device plugin on the node",
        _INIT,
    ),
    Explanation(
        "both /dev/sgx/provision /dev/sgx_provision are not ready",
        "the pod has no provision device, which quotes need",
        "ask for sgx.intel.com/provision, and check the device plugin on the node",
        _INIT,
    ),
    Explanation(
        "Attestation Fail! Application killed!",
        "the attestation service refused this enclave: another measurement than the policy's, or a failed quote",
        "ppmlctl plan shows whether the policy fits the image; look for an error number before this line",
        _ATTESTATION,
    ),
    Explanation(
        "Attestation Fail! In debug mode, continue.",
        "the attestation was refused, and ATTESTATION_DEBUG let the job run",
        "remove ATTESTATION_DEBUG: the job ran unattested",
        _ATTESTATION,
    ),
    Explanation(
        "Attestation pass but BIOS or the software is out of date.",
        "accepted although the platform lacks security fixes or settings",
        "update BIOS and microcode of the node, and register it anew",
        _ATTESTATION,
    ),
    Explanation(
        "Attestation is enabled, but … is empty!",
        "a variable that attestation needs is not set",
        "give APP_ID, API_KEY and ATTESTATION_URL from kms-secret (keys app_id, api_key, policy_id)",
        _ATTESTATION,
    ),
    Explanation(
        "Distributed encrypted filesystem is enabled, but … is empty!",
        "a variable that the encrypted folder needs is not set",
        "say spark.encrypted_fs, which gives EHSM's host and port, the key files and the account",
        _DATA_KEY,
    ),
    Explanation(
        "Please set appid to docker environment variable",
        "the key client reads the account from APPID and APIKEY, and the script before it checks APP_ID and API_KEY",
        "give both pairs of variables from kms-secret; spark.encrypted_fs does",
        _DATA_KEY,
    ),
    Explanation(
        "can't open file '/ppml/kms/client.py'",
        "the image lacks the program that fetches the data key, as BigDL's own do",
        "have ppmlctl sign the image (images.base, images.custom): it puts a key client there",
        _DATA_KEY,
    ),
    Explanation(
        "ppmlctl: no data key from EHSM",
        "the key client that ppmlctl put into the image was refused, or did not reach or trust EHSM; its line says why",
        "look at EHSM from here: ppmlctl ehsm status, ppmlctl ehsm keys list; compare kms.ehsm.url and kms.ehsm.tls",
        "ppmlctl key_client/program.py",
    ),
    Explanation(
        "The key should be at least 15 bytes",
        "a data key from a file is too short; its first 15 bytes are used, and whoever runs the cluster reads the file",
        "let EHSM make the key: kms.ehsm.data_keys and spark.encrypted_fs",
        _DATA_KEY,
    ),
    Explanation(
        "[INFO] Attestation is disabled!",
        "ATTESTATION is empty: the job runs without attesting",
        "say attestation: {enabled: true}",
        _ENTRYPOINT,
    ),
    Explanation(
        "Invalid maximum heap size: -Xmx",
        "RUNTIME_DRIVER_MEMORY is empty",
        "set it in the client and, with a pod template of your own, in the driver",
        _SUBMIT,
    ),
    Explanation(
        "Initial heap size set to a larger value than the maximum heap size",
        "the heap is under 1 GiB, and in an enclave the image's entrypoint starts Java with -Xms1G",
        "give driver and executor a jvm_memory of 1g or more, or an enclave_size of 2G or more, whose half it is",
        _ENTRYPOINT,
    ),
    Explanation(
        "spark.driver.port should be int", "RUNTIME_DRIVER_PORT is empty", "set it, for local mode too", _SUBMIT
    ),
    Explanation(
        "Unrecognized option",
        "spark-submit does not know an option of the examples, and the script still ends with 0",
        "give spark.kubernetes.sgx.… with --conf",
        _SUBMIT,
    ),
    Explanation(
        "Must specify a primary resource",
        "start-thriftserver.sh does not work with the image's edited spark-submit",
        "start the class HiveThriftServer2 through bigdl-ppml-submit.sh",
        "intel-analytics/BigDL ppml/trusted-bigdata/README.md",
    ),
    Explanation(
        "Insufficient sgx.intel.com/…",
        "no node has this much of the SGX resource",
        "check the device plugin (kubectl describe node), or lower epc_request",
        _KUBERNETES,
    ),
    Explanation(
        "OOMKilled",
        "the container used more memory than its limit: the heap and what the JVM and Gramine need beside it",
        "raise memory of driver or executor, or spark.kubernetes.memoryOverheadFactor; a heap alone makes it worse",
        _KUBERNETES,
    ),
    Explanation(
        "The node was low on resource",
        "the node ran out of memory or disk, and ended the pod to help itself",
        "kubectl describe node names what is short; free it, or ask for less",
        _KUBERNETES,
    ),
    Explanation(
        "was active … longer than … specified deadline",
        "it did not end in time, and Kubernetes ended it",
        "look for what it waited for, or raise `deadline` of the workload",
        _KUBERNETES,
    ),
    Explanation(
        'exec: "…": executable file not found',
        "the image lacks the program that the pod starts: it is no image of BigDL PPML, or not for this platform",
        "name a base of BigDL PPML in images.base; it has bash, and its scripts in /ppml",
        _KUBERNETES,
    ),
    Explanation(
        'persistentvolumeclaim "…" not found',
        "the claim that the pod template mounts is not there",
        "make it, or name yours in cluster.storage.claim",
        _KUBERNETES,
    ),
    Explanation(
        "CreateContainerConfigError",
        "a secret or one of its keys is not there; the guide asks for `app_key` where it made `api_key`",
        "kubectl describe pod names it; kms-secret has app_id, api_key and policy_id",
        "intel-analytics/BigDL ppml/trusted-bigdata/README.md",
    ),
    Explanation(
        "MountVolume.SetUp failed … configmap … not found",
        "normal in the first second: the driver is made before its ConfigMaps",
        "wait; it matters only if it stays",
        "apache/spark resource-managers/kubernetes",
    ),
    Explanation(
        "EnvVar.Value: ReadString: expects",
        "a value in `env` of a pod template is not quoted",
        'quote it: value: "true"',
        _KUBERNETES,
    ),
)
