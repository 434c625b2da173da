"""The AWS CLI, as its own `aws` starts it."""

import sys

import awscli.clidriver

if __name__ == "__main__":
    sys.exit(awscli.clidriver.main())
