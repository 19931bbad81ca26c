"""A HAPI server for the pages that speak to one."""

from tests.delivery.conftest import hapi as hapi
from tests.delivery.conftest import hapi_server as hapi_server
