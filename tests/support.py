"""What the service is told by the tests, and must tell nobody."""

SECRET = "a secret of the tests, 32 bytes or more, kept by nobody"
DATABASE_PASSWORD = "canary-beside-the-database"
