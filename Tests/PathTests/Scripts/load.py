"""Makes calls over a few connections until the gateway goes away; prints the id of each answer it has seen whole."""

import http.client
import json
import sys
import threading

port, token, count = int(sys.argv[1]), sys.stdin.readline().strip(), int(sys.argv[2])
lock = threading.Lock()


def caller(number):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for index in range(count):
        body = {"model": "openai/gpt-6-sol", "messages": [{"role": "user", "content": f"{number} {index}"}]}
        body["stream"] = index % 3 == 0
        headers = {"authorization": "Bearer " + token, "content-type": "application/json"}
        headers["x-gatehouse-cache"] = "off"
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            answer = connection.getresponse()
            whole = answer.read()
        except (OSError, http.client.HTTPException):
            return
        if answer.status == 200 and (not body["stream"] or b"[DONE]" in whole):
            with lock:
                print(answer.getheader("x-request-id"), flush=True)


callers = [threading.Thread(target=caller, args=(number,)) for number in range(6)]
for thread in callers:
    thread.start()
for thread in callers:
    thread.join()
