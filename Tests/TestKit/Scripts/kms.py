"""A key service on loopback: moto in server mode, which checks signatures and encryption contexts as AWS does.

Prints one line: port, the ARN of a key with the alias alias/gatehouse, the ARN of another key, and an access key that may
use both. Ends with a signal.
"""

import json
import signal
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()
address = f"http://127.0.0.1:{port}"


def client(service):
    return boto3.client(
        service,
        region_name="eu-central-1",
        endpoint_url=address,
        aws_access_key_id="setup",
        aws_secret_access_key="setup",
    )


kms = client("kms")
first = kms.create_key()["KeyMetadata"]["Arn"]
second = kms.create_key()["KeyMetadata"]["Arn"]
kms.create_alias(AliasName="alias/gatehouse", TargetKeyId=first)
iam = client("iam")
iam.create_user(UserName="gatehouse")
policy = {"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}], "Version": "2012-10-17"}
iam.put_user_policy(UserName="gatehouse", PolicyName="kms", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="gatehouse")["AccessKey"]
# From here on every request needs a signature that is right.
urllib.request.urlopen(urllib.request.Request(f"{address}/moto-api/reset-auth", data=b"0", headers={"content-type": "text/plain"})).read()
print(port, first, second, key["AccessKeyId"], key["SecretAccessKey"], flush=True)
signal.pause()
