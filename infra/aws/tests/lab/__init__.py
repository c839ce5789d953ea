"""A small region on this machine: a network of machines that boot Debian 13, with what they ask of EC2 and AWS, and a data tier with TLS.

Nothing of it reaches the internet, and the machines do not either: what they need comes from the release, as in a VPC without NAT.
"""
