-- Creates the two roles and the database of taskservice. Run it with psql as a superuser, as often as
-- you like. It reads OWNER_PASSWORD and SERVICE_PASSWORD from the environment.

\getenv owner_password OWNER_PASSWORD
\getenv service_password SERVICE_PASSWORD

SELECT 'CREATE ROLE taskservice_owner LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'taskservice_owner') \gexec
SELECT 'CREATE ROLE taskservice LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'taskservice') \gexec

ALTER ROLE taskservice_owner PASSWORD :'owner_password';
ALTER ROLE taskservice PASSWORD :'service_password';

SELECT $$CREATE DATABASE taskservice OWNER taskservice_owner ENCODING 'UTF8' TEMPLATE template0$$
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'taskservice') \gexec
REVOKE CONNECT, TEMPORARY ON DATABASE taskservice FROM PUBLIC;
GRANT CONNECT ON DATABASE taskservice TO taskservice;
