-- The account of the service, as config/product.yaml names it for development; the service makes its tables itself.
CREATE DATABASE IF NOT EXISTS eshop_product CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'product'@'%' IDENTIFIED BY 'product';
GRANT ALL PRIVILEGES ON `eshop\_product`.* TO 'product'@'%';
