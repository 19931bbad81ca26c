"""The rows of labs.csv as Observations, by LinuxForHealth's CsvToFHIR: prints resources and seconds of processor time.

python bench/mappers/csvtofhir_labs.py LABS.CSV OUT.NDJSON  (in an environment of Python 3.9 that has the package)
"""

import json
import sys
import time
from pathlib import Path

from linuxforhealth.csvtofhir.config import get_converter_config
from linuxforhealth.csvtofhir.converter import convert

get_converter_config().mapping_config_directory = str(Path(__file__).parent / "csvtofhir")
began, count = time.process_time(), 0
with open(sys.argv[2], "w") as stream:
    for error, _, resources in convert(sys.argv[1]):
        if error:
            raise SystemExit(str(error))
        for each in resources:
            stream.write(each + "\n")
            count += 1
print(json.dumps({"resources": count, "processor": time.process_time() - began}))
