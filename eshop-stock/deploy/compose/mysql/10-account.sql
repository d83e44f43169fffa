-- The account of the service, as config/stock.yaml names it for development; the service makes its tables itself.
CREATE DATABASE IF NOT EXISTS eshop_stock CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'stock'@'%' IDENTIFIED BY 'stock';
GRANT ALL PRIVILEGES ON `eshop\_stock`.* TO 'stock'@'%';
