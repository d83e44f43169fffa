# Read by the server's image at its first start: the database and the account of each service, with rights on it alone.
# The services make their tables themselves.
for user in product stock coupon pay order user; do
  variable="MYSQL_${user^^}_PASSWORD"
  docker_process_sql <<SQL
CREATE DATABASE IF NOT EXISTS eshop_$user CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS '$user'@'%' IDENTIFIED BY '${!variable}';
GRANT ALL PRIVILEGES ON \`eshop\\_$user\`.* TO '$user'@'%';
SQL
done
