# What follows brings the operands of a real run to the function and its results back: leave it as it is.
if __name__ == "__main__":
    import json
    import struct
    import sys

    name = open(__file__).readline().split()[-1].replace("-", "_")
    with open(sys.argv[1], "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    order = json.loads(header.pop("__metadata__")["exercise"])
    kinds = {"F64": np.float64, "U8": np.uint8}
    results = {}
    for call in order["calls"]:
        arguments = []
        for argument in order["takes"]:
            about = header[f"{call}/{argument}"]
            start, end = about["data_offsets"]
            array = np.frombuffer(data[start:end], kinds[about["dtype"]]).reshape(about["shape"])
            array = array.astype(bool) if about["dtype"] == "U8" else array.copy()
            arguments.append(array if array.shape else float(array))
        returned = globals()[name](*arguments)
        for i, value in enumerate(returned if isinstance(returned, tuple) else (returned,)):
            results[f"{call}/{i}"] = np.ascontiguousarray(value, np.float64)
    described, end = {}, 0
    for key, array in results.items():
        described[key] = {"dtype": "F64", "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = json.dumps(described).encode()
    with open(sys.argv[2], "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in results.values()))
