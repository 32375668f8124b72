"""What Spark, Java and Kubernetes say most often when a job does not run."""

from __future__ import annotations

from ppmlctl.explanations.explanation import Explanation

_SPARK = "apache/spark core, resource-managers/kubernetes"
_JAVA = "openjdk/jdk, its messages"
_KUBERNETES = "kubernetes.io/docs, debugging pods"

ROWS = (
    Explanation(
        "External scheduler cannot be instantiated",
        "the driver cannot reach the API server, may not see its own pod, or is called otherwise than it says",
        "read the next `Caused by`; check the service account's rights on pods, and the pod's way to the API server",
        _SPARK,
    ),
    Explanation(
        "Initial job has not accepted any resources",
        "no executor has registered with the driver: they are pending, end one after another, or cannot reach it",
        "describe a pending executor's pod, or read the log of one that ended; compare memory and cores with the nodes",
        _SPARK,
    ),
    Explanation(
        "No pod was found named",
        "the driver looks for its own pod under a name or namespace that is not its own",
        "let ppmlctl submit it, or set spark.kubernetes.driver.pod.name and the namespace",
        _SPARK,
    ),
    Explanation(
        "ExecutorLostFailure",
        "an executor ended while it computed, often for lack of memory",
        "kubectl describe its pod: OOMKilled wants a higher memoryOverheadFactor, other ends are in its log",
        _SPARK,
    ),
    Explanation(
        "New auth protocol failed, trying SASL",
        "driver and executor have different secrets, or one has none",
        "let ppmlctl submit it; in enclaves the images' secured_argvs empties _SPARK_AUTH_SECRET where it is not set",
        _SPARK,
    ),
    Explanation(
        "Futures timed out after",
        "the other side did not answer in time: it ended, is unreachable, or its enclave is slow to start",
        "read the other side's log; raise spark.network.timeout",
        _SPARK,
        also=("Cannot receive any reply from",),
    ),
    Explanation(
        "Master URL must be set",
        "the session was made without spark.master",
        "submit it by ppmlctl, or through spark-submit",
        _SPARK,
    ),
    Explanation(
        "Service 'sparkDriver' could not bind",
        "the driver's port or address is taken or not this machine's",
        "choose another client.driver_port; check spark.driver.host",
        _SPARK,
        also=("Service 'sparkDriver' failed after",),
    ),
    Explanation(
        "Must specify the driver container image",
        "spark.kubernetes.container.image is not set",
        "name images, or set it in conf",
        _SPARK,
    ),
    Explanation(
        "No FileSystem for scheme",
        "the image lacks the library for this kind of address",
        "add its jar with jars, or to the base image",
        _SPARK,
    ),
    Explanation(
        "Failed to find data source",
        "the library for this format is not on the class path",
        "add its jar with jars, or to the base image",
        _SPARK,
    ),
    Explanation(
        "PKIX path building failed",
        "Java does not trust the certificate of the server it speaks to: its CA is not in the trust store",
        "import the server's CA into the workload's trust store (keytool -importcert); have the server show its chain",
        _JAVA,
        also=("unable to find valid certification path to requested target",),
    ),
    Explanation(
        "PKIX path validation failed",
        "a certificate of the server has run out, or its chain does not hold",
        "date -u; renew the server's certificate",
        _JAVA,
    ),
    Explanation(
        "Received fatal alert",
        "the other side broke the TLS handshake off: it trusts another CA, or speaks other versions",
        "compare keystores and TLS versions of both sides",
        _JAVA,
    ),
    Explanation(
        "No subject alternative names",
        "the server's certificate does not name the host that was asked for",
        "give the server a certificate with its host name, or ask for the name that it has",
        _JAVA,
        also=("No subject alternative DNS name matching", "No name matching … found"),
    ),
    Explanation(
        "Keystore was tampered with, or password was incorrect",
        "the keystore is opened with another password than it was made with",
        "ppmlctl plan shows whether ssl-keys and spark-secret are of one password",
        _JAVA,
        also=("keystore password was incorrect",),
    ),
    Explanation(
        "Could not reserve enough space for",
        "the heap does not fit the enclave or the container",
        "lower jvm_memory, or raise images.custom.enclave_size and memory",
        _JAVA,
    ),
    Explanation(
        "java.lang.OutOfMemoryError: Java heap space",
        "the heap is full",
        "raise jvm_memory (memory outside of enclaves), or use more partitions",
        _JAVA,
        also=("GC overhead limit exceeded",),
    ),
    Explanation(
        "unable to create new native thread",
        "no thread can be made: a limit of the container, or too few threads in the enclave",
        "raise sgx.max_threads (thread_num) of the manifest, or the pids limit of the node",
        _JAVA,
    ),
    Explanation(
        "java.lang.ClassNotFoundException",
        "the class is in no jar of the class path",
        "compare main_class with the jar; add what it needs with jars",
        _JAVA,
        also=("Error: Failed to load class", "Could not find or load main class"),
    ),
    Explanation(
        "java.nio.file.NoSuchFileException",
        "a file that the application names is not in the image or the shared data",
        "check the path inside the container; local:// means the image",
        _JAVA,
    ),
    Explanation(
        "java.net.UnknownHostException",
        "a name is not known to the pod's DNS",
        "check the name from a pod; in enclaves the manifest has to allow /etc/resolv.conf and /etc/hosts",
        _JAVA,
    ),
    Explanation(
        "java.net.ConnectException: Connection refused",
        "nothing listens at that address and port",
        "check that the server runs and that the address is the one which the pod sees",
        _JAVA,
    ),
    Explanation(
        "java.net.SocketTimeoutException",
        "the other side takes connections and does not answer in time",
        "look at its log; it is slow, or something between drops packets",
        _JAVA,
        also=("connect timed out",),
    ),
    Explanation(
        "Forbidden!Configured service account doesn't have access",
        "the service account may not do that in this namespace",
        "apply makes its role binding; check cluster.service_account",
        _KUBERNETES,
        also=("is forbidden: User",),
    ),
    Explanation(
        "ImagePullBackOff",
        "the node cannot pull the image: its name, its registry's certificate, or the credentials",
        "kubectl describe pod says which; push the image (images.custom.push), or name cluster.image_pull.secrets",
        _KUBERNETES,
        also=("ErrImagePull", "pull access denied for"),
    ),
    Explanation(
        "ErrImageNeverPull",
        "the node does not have the image, and must not pull it",
        "load the image into the node, or set cluster.image_pull.policy",
        _KUBERNETES,
    ),
    Explanation(
        "manifest unknown",
        "the registry does not have this tag or digest",
        "compare the reference; push it: images.custom.push",
        _KUBERNETES,
        also=("manifest for … not found",),
    ),
    Explanation(
        "x509: certificate signed by unknown authority",
        "the node or the engine does not trust the registry's or server's CA",
        "add the CA to the node's or the engine's certificates",
        _KUBERNETES,
    ),
    Explanation(
        "x509: certificate has expired or is not yet valid",
        "a certificate has run out, or a clock is wrong",
        "date -u; renew the certificate",
        _KUBERNETES,
    ),
    Explanation(
        "CrashLoopBackOff",
        "the container ends again and again",
        "read its log and that of the run before: kubectl logs --previous",
        _KUBERNETES,
    ),
    Explanation(
        "FailedScheduling",
        "no node takes the pod; the line says what each lacks",
        "lower what it asks for, or add nodes; for sgx.intel.com/… check the device plugin",
        _KUBERNETES,
    ),
    Explanation(
        "no space left on device",
        "a disk is full",
        "free space on the node, or raise the volume",
        _KUBERNETES,
    ),
)
