-- The account of the service, as config/pay.yaml names it for development; the service makes its tables itself.
CREATE DATABASE IF NOT EXISTS eshop_pay CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'pay'@'%' IDENTIFIED BY 'pay';
GRANT ALL PRIVILEGES ON `eshop\_pay`.* TO 'pay'@'%';
