-- The account of the service, as config/order.yaml names it for development; the service makes its tables itself.
CREATE DATABASE IF NOT EXISTS eshop_order CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'order'@'%' IDENTIFIED BY 'order';
GRANT ALL PRIVILEGES ON `eshop\_order`.* TO 'order'@'%';
