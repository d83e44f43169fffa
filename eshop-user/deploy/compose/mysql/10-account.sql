-- The account of the service, as config/user.yaml names it for development; the service makes its tables itself.
CREATE DATABASE IF NOT EXISTS eshop_user CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'user'@'%' IDENTIFIED BY 'user';
GRANT ALL PRIVILEGES ON `eshop\_user`.* TO 'user'@'%';
